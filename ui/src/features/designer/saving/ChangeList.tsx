import { CircleMinus, CirclePlus, PencilLine } from "lucide-react";
import type { Change, Differences } from "../../../lib/differences";
import { capital, listed } from "../../../lib/text";
import styles from "./ChangeList.module.css";

const icons = { added: CirclePlus, removed: CircleMinus, changed: PencilLine };
/** Which status has the colour of a change. */
export const changeStatus: Record<Change, string> = { added: "success", removed: "failed", changed: "running" };

/** What became of a step, as icon, word and colour. */
export function ChangeMark({ change }: { change: Change }) {
  const Icon = icons[change];
  return (
    <span className={styles.mark} data-status={changeStatus[change]}>
      <Icon size={14} aria-hidden="true" />
      {capital(change)}
    </span>
  );
}

/** What differs between two definitions, step by step. */
export function ChangeList({ differences, label }: { differences: Differences; label: string }) {
  const { steps, workflow } = differences;
  if (steps.length === 0 && workflow.length === 0) return <p className={styles.none}>Nothing differs.</p>;
  return (
    <ul className={styles.list} aria-label={label}>
      {workflow.length > 0 && (
        <li>
          <ChangeMark change="changed" />
          <span className={styles.what}>
            Workflow <span className={styles.keys}>{listed(workflow)}</span>
          </span>
        </li>
      )}
      {steps.map(({ id, name, change, keys }) => (
        <li key={`${change} ${id}`}>
          <ChangeMark change={change} />
          <span className={styles.what}>
            {name} {name !== id && <code>{id}</code>}
            {keys.length > 0 && <span className={styles.keys}>{listed(keys)}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
