import styles from "./DayRange.module.css";
import { fieldStyles } from "./Field";

interface DayRangeProps {
  since: string;
  until: string;
  onChange: (next: { since?: string; until?: string }) => void;
}

/** A first and a last day. */
export function DayRange({ since, until, onChange }: DayRangeProps) {
  const values = { since, until };
  return (
    <span className={styles.dates}>
      {(["since", "until"] as const).map((name) => (
        <input
          key={name}
          type="date"
          className={fieldStyles.control}
          aria-label={name === "since" ? "First day" : "Last day"}
          value={values[name]}
          max={name === "since" ? until || undefined : undefined}
          min={name === "until" ? since || undefined : undefined}
          onChange={(event) => onChange({ [name]: event.target.value })}
        />
      ))}
    </span>
  );
}
