import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { X } from "lucide-react";
import { type FormEvent, useId, useRef, useState } from "react";
import { passwordHint, whyNotName, whyNotPassword } from "../../api/accountRules";
import { createUser, serversOwn, signIn, usersQuery } from "../../api/accounts";
import { accountQuery } from "../../api/queries";
import { Button, IconButton } from "../../components/Button";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Field, fieldStyles } from "../../components/Field";
import { PasswordField } from "../../components/PasswordField";
import { toast } from "../../components/toast";
import styles from "./FirstAccount.module.css";

const dismissed = "vwmp-first-account";

function wasDismissed(): boolean {
  try {
    return localStorage.getItem(dismissed) !== null;
  } catch {
    return false;
  }
}

/**
 * What whoever signs in as the server's own account is asked while nobody has
 * another: to make one of their own. It can be put away; always shows it all
 * the same.
 */
export function FirstAccount({ always }: { always?: boolean }) {
  const account = useQuery(accountQuery).data;
  const asServer = account?.user === serversOwn && account.auth !== "none";
  const users = useQuery({ ...usersQuery, enabled: asServer }).data;
  const [away, setAway] = useState(wasDismissed);
  const title = useId();
  if (!asServer || users?.length !== 0 || (away && !always)) return null;
  const dismiss = () => {
    setAway(true);
    try {
      localStorage.setItem(dismissed, "1");
    } catch {
      // Then it is shown again after a reload.
    }
  };
  return (
    <section className={styles.card} aria-labelledby={title}>
      <div className={styles.head}>
        <h2 id={title}>Make an account of your own</h2>
        {!always && <IconButton label="Not now" icon={<X />} size="small" onClick={dismiss} />}
      </div>
      <p className={styles.text}>
        You are signed in as {serversOwn}, the account that belongs to the server itself. With your own you sign in by
        name and password, without a link, and the history says what you did. It becomes an administrator; the link
        stays good for when a password is lost.
      </p>
      <Form />
    </section>
  );
}

function Form() {
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
