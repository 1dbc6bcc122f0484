import type { ComponentProps } from "react";
import { cx } from "./cx";
import { fieldStyles } from "./Field";
import styles from "./Select.module.css";

export interface Choice {
  value: string;
  label: string;
}

interface SelectProps extends Omit<ComponentProps<"select">, "onChange"> {
  choices: readonly Choice[];
  onChoose: (value: string) => void;
}

/** The browser's own list: it works everywhere, by keyboard and by touch. */
export function Select({ choices, onChoose, className, ...rest }: SelectProps) {
  return (
    <select
      {...rest}
      className={cx(fieldStyles.control, styles.select, className)}
      onChange={(event) => onChoose(event.target.value)}
    >
      {choices.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}
