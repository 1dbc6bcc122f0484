import { CircleMinus, CirclePlus, PencilLine } from "lucide-react";
import type { Change } from "../lib/differences";
import { capital } from "../lib/text";
import styles from "./ChangeMark.module.css";

const icons = { added: CirclePlus, removed: CircleMinus, changed: PencilLine };
const colours: Record<Change, string> = { added: "success", removed: "failed", changed: "running" };

/** The status whose colours a change has. */
export function changeColour(change: Change): string {
  return colours[change];
}

export function ChangeIcon({ change, size = 14 }: { change: Change; size?: number }) {
  const Icon = icons[change];
  return <Icon size={size} aria-hidden="true" />;
}

/** What became of something, as icon, word and colour. */
export function ChangeMark({ change }: { change: Change }) {
  return (
    <span className={styles.mark} data-status={colours[change]}>
      <ChangeIcon change={change} size={13} />
      {capital(change)}
    </span>
  );
}
