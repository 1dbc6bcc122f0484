import { type FormEvent, useRef, useState } from "react";
import { ApiError, client, take } from "../api/client";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Field, fieldStyles } from "../components/Field";
import { capital } from "../lib/text";
import styles from "./SignInAgain.module.css";

/** The server's own account, which has a token and no password. */
const serversOwn = "admin";

/** Signs in again without leaving the page, so that nothing typed is lost. user is who was signed in. */
export function SignInAgain({ open, user, onSignedIn }: { open: boolean; user: string; onSignedIn: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [byToken, setByToken] = useState(user === serversOwn);
  const [name, setName] = useState(user === serversOwn ? "" : user);
  const [secret, setSecret] = useState("");
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setWrong("");
    try {
      const body = byToken ? { token: secret.trim() } : { user: name.trim().toLowerCase(), password: secret };
      await take(client.POST("/api/vwmp/auth/login/", { body }));
      setSecret("");
      onSignedIn();
    } catch (error) {
      setWrong(error instanceof ApiError ? `${capital(error.message)}.` : "The server did not answer. Try again.");
      input.current?.focus();
    } finally {
      setBusy(false);
    }
  };
  const turn = () => {
    setByToken(!byToken);
    setSecret("");
    setWrong("");
  };

  return (
    <Dialog
      open={open}
      onOpenChange={() => undefined}
      title="Your sign-in has ended"
      description="It expired, or an administrator ended it. Sign in again to go on; what you typed on this page is kept."
      width="small"
      closable={false}
      initialFocus={input}
    >
      <form className={styles.form} onSubmit={submit}>
        {!byToken && (
          <Field label="Name">
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
        )}
        <Field
          label={byToken ? "Token" : "Password"}
          error={wrong}
          hint={byToken && "The admin token is in the file admin-token of the server's data folder."}
        >
          {(control) => (
            <input
              {...control}
              ref={input}
              className={fieldStyles.control}
              type="password"
              autoComplete={byToken ? "off" : "current-password"}
              value={secret}
              onChange={(event) => setSecret(event.target.value)}
            />
          )}
        </Field>
        <p className={styles.other}>
          <Button kind="quiet" size="small" onClick={turn}>
            {byToken ? "Use a name and a password" : "Use the admin token"}
          </Button>
          <a href="/vwmp/sign-in" target="_blank" rel="noreferrer">
            Other ways, in another tab
          </a>
        </p>
        <div className={styles.actions}>
          <Button onClick={onSignedIn}>I signed in elsewhere</Button>
          <Button kind="primary" type="submit" busy={busy}>
            Sign in
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
