import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { lazy, Suspense, useId, useState } from "react";
import { accountQuery } from "../../api/queries";
import { IconButton } from "../../components/Button";
import styles from "./FirstAccount.module.css";

const Form = lazy(() => import("./FirstAccountForm"));

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
 * the same. It is there with the page, so that nothing below it jumps.
 */
export function FirstAccount({ always }: { always?: boolean }) {
  const account = useQuery(accountQuery).data;
  const [away, setAway] = useState(wasDismissed);
  const title = useId();
  if (!account?.alone || (away && !always)) return null;
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
        You are signed in as {account.user}, the account that belongs to the server itself. With your own you sign in by
        name and password, without a link, and the history says what you did. It becomes an administrator; the link
        stays good for when a password is lost.
      </p>
      <div className={styles.place}>
        <Suspense>
          <Form />
        </Suspense>
      </div>
    </section>
  );
}
