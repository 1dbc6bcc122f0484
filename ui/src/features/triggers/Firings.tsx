import { Link } from "wouter";
import type { Firing } from "../../api/types";
import { StatusIcon } from "../../components/StatusIcon";
import { Ago } from "../../components/Time";
import { capital } from "../../lib/text";
import { firingStatus, firingText } from "../trigger-list/describe";
import styles from "./TriggersPage.module.css";

/** What came of a firing, as icon and word. */
export function Outcome({ firing }: { firing: Firing }) {
  const status = firingStatus(firing.outcome);
  return (
    <span className={styles.outcome} data-status={status}>
      <StatusIcon status={status} size={14} />
      {capital(firing.outcome)}
    </span>
  );
}

/** The newest firings of a trigger, with why some came to nothing. */
export function Firings({ firings }: { firings: readonly Firing[] }) {
  if (firings.length === 0) return <p>It has not fired yet.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reached by keyboard.
    <ul tabIndex={0} aria-label="Last firings">
      {firings.map((firing) => (
        <li key={firing.number}>
          <Outcome firing={firing} />
          <Ago time={firing.at} />
          <span>{firingText(firing)}</span>
          {firing.execution_id && <Link href={`/executions/${firing.execution_id}`}>View execution</Link>}
        </li>
      ))}
    </ul>
  );
}
