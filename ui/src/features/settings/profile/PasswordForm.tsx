import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { passwordHint, whyNotPassword } from "../../../api/accountRules";
import { accountKeys, changePassword } from "../../../api/accounts";
import { Button } from "../../../components/Button";
import { cx } from "../../../components/cx";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { PasswordField } from "../../../components/PasswordField";
import { toast } from "../../../components/toast";
import forms from "../forms.module.css";

/** Changes one's own password; one's other browsers are signed out by it. */
export function PasswordForm({ user }: { user: string }) {
  const queries = useQueryClient();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [tried, setTried] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const wrong = whyNotPassword(next);
  const change = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess: () => {
      setCurrent("");
      setNext("");
      setTried(false);
      toast({ title: "Your password is changed", description: "Your other browsers are signed out.", kind: "success" });
      void queries.invalidateQueries({ queryKey: accountKeys.sessions });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (change.isPending) return;
    setTried(true);
    if (wrong) field.current?.focus();
    else change.mutate();
  };
  return (
    <form className={cx(forms.form, forms.narrow)} onSubmit={submit} noValidate aria-label="Change your password">
      {/* Password managers want to know whose password it is. */}
      <input type="text" name="username" autoComplete="username" value={user} readOnly hidden />
      <PasswordField
        label="Current password"
        value={current}
        onChange={setCurrent}
        autoComplete="current-password"
        required
      />
      <PasswordField
        ref={field}
        label="New password"
        value={next}
        onChange={setNext}
        autoComplete="new-password"
        hint={passwordHint}
        error={tried && wrong}
        required
      />
      {change.error && <ErrorNotice error={change.error} doing="The password could not be changed" />}
      <div className={forms.actions}>
        <Button kind="primary" type="submit" busy={change.isPending}>
          Change password
        </Button>
      </div>
    </form>
  );
}
