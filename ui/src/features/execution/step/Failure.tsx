import type { StepResult } from "../../../api/types";
import { StatusIcon } from "../../../components/StatusIcon";
import { LogText } from "../../run/LogText";
import { useRunPage } from "../context";
import styles from "./StepDetails.module.css";

/** From how many characters on a message may be higher than its place. */
const longMessage = 200;

/** A failure, as the step told it. */
export function Failure({ error }: { error: NonNullable<StepResult["error"]> }) {
  const { shown } = useRunPage();
  return (
    <section className={styles.failure} data-status="failed" aria-label="Error">
      <StatusIcon status="failed" size={16} />
      <div className={styles.failureText}>
        <p className={styles.message} tabIndex={error.message.length > longMessage ? 0 : undefined}>
          <LogText text={shown.text(error.message)} />
        </p>
        <p className={styles.code}>
          <code>{error.code}</code>
          {error.pointer && <code>{error.pointer}</code>}
          {error.retryable && <span>another try may help</span>}
        </p>
      </div>
    </section>
  );
}
