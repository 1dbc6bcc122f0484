import { Search } from "lucide-react";
import type { Ref } from "react";
import { cx } from "./cx";
import { fieldStyles } from "./Field";
import styles from "./SearchField.module.css";

interface SearchFieldProps {
  /** What is looked through: its name and its placeholder. */
  label: string;
  value: string;
  onChange: (value: string) => void;
  ref?: Ref<HTMLInputElement>;
}

/** A field that narrows a list while one types. Escape empties it. */
export function SearchField({ label, value, onChange, ref }: SearchFieldProps) {
  return (
    <span className={styles.field}>
      <Search aria-hidden="true" />
      <input
        ref={ref}
        type="search"
        className={cx(fieldStyles.control, styles.input)}
        aria-label={label}
        placeholder={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || value === "") return;
          event.preventDefault();
          event.stopPropagation();
          onChange("");
        }}
      />
    </span>
  );
}
