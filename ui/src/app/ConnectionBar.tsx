import { useEffect, useState } from "react";
import { useConnection } from "../api/live";
import { useAnnounced } from "../components/announce";
import { Button } from "../components/Button";
import { Spinner } from "../components/Spinner";
import styles from "./ConnectionBar.module.css";

const lostText = "Connection lost, trying again";
const refusedText = "Your access was changed: this page is no longer live";

/** Says quietly that the connection is lost, and goes when it is back; and stays where the server has ended it for good. */
export function ConnectionBar() {
  const connection = useConnection();
  const lost = connection === "lost";
  const [shown, setShown] = useState(false);
  useEffect(() => {
    // A connection that comes back at once is not worth a word.
    const timer = setTimeout(() => setShown(lost), lost ? 400 : 0);
    return () => clearTimeout(timer);
  }, [lost]);
  useAnnounced(connection === "refused" ? refusedText : shown ? lostText : "");
  return (
    <div className={styles.place}>
      {shown && (
        <section className={styles.bar} aria-label="Connection">
          <Spinner size={14} />
          {lostText}
        </section>
      )}
      {connection === "refused" && (
        <section className={styles.bar} aria-label="Connection">
          {refusedText}
          <Button size="small" onClick={() => globalThis.location.reload()}>
            Reload
          </Button>
        </section>
      )}
    </div>
  );
}
