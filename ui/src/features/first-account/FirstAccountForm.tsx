import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { passwordHint, whyNotName, whyNotPassword } from "../../api/accountRules";
import { createUser, signIn } from "../../api/accounts";
import { Button } from "../../components/Button";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Field, fieldStyles } from "../../components/Field";
import { PasswordField } from "../../components/PasswordField";
import { toast } from "../../components/toast";
import styles from "./FirstAccount.module.css";

/** Makes an administrator and signs this browser in as them. */
export default function FirstAccountForm() {
  const queries = useQueryClient();
  const root = useRef<HTMLFormElement>(null);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [tried, setTried] = useState(false);
  const user = name.trim().toLowerCase();
  const wrong = { name: whyNotName(user), password: whyNotPassword(password) };
  const make = useMutation({
    mutationFn: async () => {
      await createUser({ name: user, role: "admin", password });
      await signIn(user, password);
    },
    onSuccess: () => {
      toast({ title: `You are signed in as ${user}`, kind: "success" });
      void queries.invalidateQueries();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (make.isPending) return;
    setTried(true);
    if (!wrong.name && !wrong.password) return make.mutate();
    // The fields are marked by the next drawing.
    requestAnimationFrame(() => root.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
  };
  return (
    <form ref={root} className={styles.form} onSubmit={submit} noValidate>
      <Field label="Your name" hint="Lower-case letters and digits" error={tried && wrong.name} required>
        {(control) => (
          <input
            {...control}
            className={fieldStyles.control}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <PasswordField
        label="Password"
        value={password}
        onChange={setPassword}
        autoComplete="new-password"
        hint={passwordHint}
        error={tried && wrong.password}
        required
      />
      <Button kind="primary" type="submit" busy={make.isPending}>
        Make account and sign in
      </Button>
      {make.error && (
        <div className={styles.error}>
          <ErrorNotice error={make.error} doing="The account could not be made" />
        </div>
      )}
    </form>
  );
}
