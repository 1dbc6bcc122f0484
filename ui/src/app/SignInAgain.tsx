import { type FormEvent, useRef, useState } from "react";
import { ApiError, client, take } from "../api/client";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Field, fieldStyles } from "../components/Field";
import styles from "./SignInAgain.module.css";

/** Signs in again without leaving the page, so that nothing typed is lost. */
export function SignInAgain({ open, onSignedIn }: { open: boolean; onSignedIn: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setWrong("");
    try {
      await take(client.POST("/api/vwmp/auth/login/", { body: { token: token.trim() } }));
      setToken("");
      onSignedIn();
    } catch (error) {
      setWrong(error instanceof ApiError ? error.message : "The server did not answer. Try again.");
      input.current?.focus();
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog
      open={open}
      onOpenChange={() => undefined}
      title="Your sign-in has ended"
      description="Sign in again to go on. What you typed on this page is kept."
      width="small"
      closable={false}
      initialFocus={input}
    >
      <form className={styles.form} onSubmit={submit}>
        <Field
          label="Token"
          error={wrong}
          hint="The admin token is in the file admin-token of the server's data folder."
        >
          {(control) => (
            <input
              {...control}
              ref={input}
              className={fieldStyles.control}
              type="password"
              autoComplete="current-password"
              value={token}
              onChange={(event) => setToken(event.target.value)}
            />
          )}
        </Field>
        <p className={styles.hint}>
          Or open a fresh link from <code>vwmp open</code> in another tab, then go on here.
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
