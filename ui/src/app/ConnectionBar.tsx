import { useEffect, useState } from "react";
import { useConnection } from "../api/live";
import { Spinner } from "../components/Spinner";
import styles from "./ConnectionBar.module.css";

/** Says quietly that the connection is lost, and goes when it is back. */
export function ConnectionBar() {
  const lost = useConnection() === "lost";
  const [shown, setShown] = useState(false);
  useEffect(() => {
    // A connection that comes back at once is not worth a word.
    const timer = setTimeout(() => setShown(lost), lost ? 400 : 0);
    return () => clearTimeout(timer);
  }, [lost]);
  return (
    <div role="status" className={styles.place}>
      {shown && (
        <p className={styles.bar}>
          <Spinner size={14} />
          Connection lost, trying again
        </p>
      )}
    </div>
  );
}
