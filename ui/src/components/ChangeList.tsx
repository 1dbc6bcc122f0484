import type { Differences } from "../lib/differences";
import { listed } from "../lib/text";
import styles from "./ChangeList.module.css";
import { ChangeMark } from "./ChangeMark";

/** What differs between two definitions, step by step. */
export function ChangeList({ differences, label }: { differences: Differences; label: string }) {
  const { steps, workflow } = differences;
  if (steps.length === 0 && workflow.length === 0) return <p className={styles.none}>Nothing differs.</p>;
  return (
    <ul className={styles.list} aria-label={label}>
      {workflow.length > 0 && (
        <li>
          <span className={styles.change}>
            <ChangeMark change="changed" />
          </span>
          <span className={styles.what}>
            Workflow <span className={styles.keys}>{listed(workflow)}</span>
          </span>
        </li>
      )}
      {steps.map(({ id, name, change, keys }) => (
        <li key={`${change} ${id}`}>
          <span className={styles.change}>
            <ChangeMark change={change} />
          </span>
          <span className={styles.what}>
            {name} {name !== id && <code>{id}</code>}
            {keys.length > 0 && <span className={styles.keys}>{listed(keys)}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
