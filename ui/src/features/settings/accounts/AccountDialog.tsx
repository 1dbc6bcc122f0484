import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useRef, useState } from "react";
import {
  passwordHint,
  readTeams,
  roleChoices,
  roleTexts,
  whyNotName,
  whyNotPassword,
  whyNotTeams,
} from "../../../api/accountRules";
import { accountKeys, changeUser, createUser, type User } from "../../../api/accounts";
import type { Role } from "../../../api/role";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Field, fieldStyles } from "../../../components/Field";
import { PasswordField } from "../../../components/PasswordField";
import { Select } from "../../../components/Select";
import { toast } from "../../../components/toast";
import forms from "../forms.module.css";

const ways = [
  { value: "password", label: "By name and password" },
  { value: "tokens", label: "Not at all: it is for programs, with API tokens" },
];

interface AccountDialogProps {
  open: boolean;
  /** The account that is changed; a new one is made without it. */
  user?: User;
  onOpenChange: (open: boolean) => void;
  onClosed: () => void;
}

/** Makes an account, or changes what one may do. */
export function AccountDialog({ open, user, onOpenChange, onClosed }: AccountDialogProps) {
  const queries = useQueryClient();
  const form = useId();
  const root = useRef<HTMLFormElement>(null);
  const first = useRef<HTMLInputElement>(null);
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>((user?.role as Role) ?? "viewer");
  const [teams, setTeams] = useState(user?.teams.join(", ") ?? "");
  const [way, setWay] = useState("password");
  const [password, setPassword] = useState("");
  const [tried, setTried] = useState(false);
  const given = readTeams(teams);
  const account = name.trim().toLowerCase();
  const wrong = {
    name: user ? undefined : whyNotName(account),
    teams: whyNotTeams(given),
    password: !user && way === "password" ? whyNotPassword(password) : undefined,
  };
  const save = useMutation({
    mutationFn: () =>
      user
        ? changeUser(user.name, { role, teams: given })
        : createUser({ name: account, role, teams: given, ...(way === "password" && { password }) }),
    onSuccess: (saved) => {
      void queries.invalidateQueries({ queryKey: accountKeys.users });
      toast({ title: user ? `${saved.name} is changed` : `${saved.name} is made`, kind: "success" });
      onOpenChange(false);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (save.isPending) return;
    setTried(true);
    if (!Object.values(wrong).some(Boolean)) return save.mutate();
    // The fields are marked by the next drawing.
    requestAnimationFrame(() => root.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
  };
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => !save.isPending && onOpenChange(next)}
      onClosed={onClosed}
      title={user ? `Role and teams of ${user.name}` : "New account"}
      description={
        user
          ? "It counts at once, for what is open too."
          : "Whoever signs in by OIDC needs none made here: theirs is made when they first sign in."
      }
      width="small"
      initialFocus={user ? undefined : first}
      actions={
        <>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button kind="primary" type="submit" form={form} busy={save.isPending}>
            {user ? "Save" : "Make account"}
          </Button>
        </>
      }
    >
      <form id={form} ref={root} className={forms.form} onSubmit={submit} noValidate>
        {!user && (
          <Field label="Name" error={tried && wrong.name} required>
            {(control) => (
              <input
                {...control}
                ref={first}
                className={fieldStyles.control}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
        )}
        <Field label="Role" hint={roleTexts[role]}>
          {(control) => (
            <Select {...control} choices={roleChoices} value={role} onChoose={(next) => setRole(next as Role)} />
          )}
        </Field>
        <Field
          label="Teams"
          hint="With commas between. A team's workflows are seen by those who are in it."
          error={tried && wrong.teams}
        >
          {(control) => (
            <input
              {...control}
              className={fieldStyles.control}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              value={teams}
              onChange={(event) => setTeams(event.target.value)}
            />
          )}
        </Field>
        {user?.issuer && (
          <p className={forms.warning}>
            {user.name} signs in by {user.issuer}, which says the role and the teams anew at each sign-in.
          </p>
        )}
        {!user && (
          <Field label="Signs in">
            {(control) => <Select {...control} choices={ways} value={way} onChoose={setWay} />}
          </Field>
        )}
        {!user && way === "password" && (
          <PasswordField
            label="Password"
            value={password}
            onChange={setPassword}
            autoComplete="new-password"
            hint={passwordHint}
            error={tried && wrong.password}
            required
          />
        )}
        {save.error && (
          <ErrorNotice
            error={save.error}
            doing={user ? "The account could not be changed" : "The account could not be made"}
          />
        )}
      </form>
    </Dialog>
  );
}
