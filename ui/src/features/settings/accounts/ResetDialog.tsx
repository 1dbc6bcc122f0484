import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useRef, useState } from "react";
import { passwordHint, whyNotPassword } from "../../../api/accountRules";
import { accountKeys, changeUser, type User } from "../../../api/accounts";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { PasswordField } from "../../../components/PasswordField";
import { toast } from "../../../components/toast";
import forms from "../forms.module.css";

interface ResetDialogProps {
  open: boolean;
  user: User;
  onOpenChange: (open: boolean) => void;
  onClosed: () => void;
}

/** Gives an account another password. */
export function ResetDialog({ open, user, onOpenChange, onClosed }: ResetDialogProps) {
  const queries = useQueryClient();
  const form = useId();
  const field = useRef<HTMLInputElement>(null);
  const [password, setPassword] = useState("");
  const [tried, setTried] = useState(false);
  const wrong = whyNotPassword(password);
  const save = useMutation({
    mutationFn: () => changeUser(user.name, { password }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: accountKeys.users });
      toast({
        title: `${user.name} has a new password`,
        description: "Their browsers are signed out.",
        kind: "success",
      });
      onOpenChange(false);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (save.isPending) return;
    setTried(true);
    if (wrong) field.current?.focus();
    else save.mutate();
  };
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => !save.isPending && onOpenChange(next)}
      onClosed={onClosed}
      title={`New password for ${user.name}`}
      description="All their browsers are signed out by it. Their API tokens stay."
      width="small"
      initialFocus={field}
      actions={
        <>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button kind="primary" type="submit" form={form} busy={save.isPending}>
            Set password
          </Button>
        </>
      }
    >
      <form id={form} className={forms.form} onSubmit={submit} noValidate>
        <PasswordField
          ref={field}
          label="New password"
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
          hint={passwordHint}
          error={tried && wrong}
          required
        />
        {save.error && <ErrorNotice error={save.error} doing="The password could not be set" />}
      </form>
    </Dialog>
  );
}
