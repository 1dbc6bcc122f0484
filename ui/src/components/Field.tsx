import { type ReactNode, useId } from "react";
import { cx } from "./cx";
import styles from "./Field.module.css";

export { styles as fieldStyles };

/** The attributes that tie a control to its label, help and error. */
export interface ControlProps {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: true;
  "aria-required"?: true;
}

interface FieldProps {
  label: ReactNode;
  /** What stands at the right of the label, such as a button. */
  aside?: ReactNode;
  /** Help below the control. */
  hint?: ReactNode;
  error?: ReactNode;
  required?: boolean;
  className?: string;
  /** Makes the control, given the attributes that tie it to its label, help and error. */
  children: (control: ControlProps) => ReactNode;
}

function Star() {
  return (
    <span className={styles.star} aria-hidden="true">
      *
    </span>
  );
}

/** A label with its control, help and error, tied together for screen readers. */
export function Field({ label, aside, hint, error, required, className, children }: FieldProps) {
  const id = useId();
  const hintId = `${id}-hint`;
  const errorId = `${id}-error`;
  const described = [error ? errorId : "", hint ? hintId : ""].filter(Boolean).join(" ");
  const labelled = (
    <label className={styles.label} htmlFor={id}>
      {label}
      {required && <Star />}
    </label>
  );
  return (
    <div className={cx(styles.field, className)}>
      {aside ? (
        <div className={styles.head}>
          {labelled}
          <span className={styles.aside}>{aside}</span>
        </div>
      ) : (
        labelled
      )}
      {children({
        id,
        "aria-describedby": described || undefined,
        "aria-invalid": error ? true : undefined,
        "aria-required": required ? true : undefined,
      })}
      {hint && (
        <p className={styles.hint} id={hintId}>
          {hint}
        </p>
      )}
      {error && (
        <p className={styles.error} id={errorId}>
          {error}
        </p>
      )}
    </div>
  );
}

interface CheckFieldProps extends Omit<FieldProps, "children" | "label"> {
  label: ReactNode;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
  /** The pointer of the value, by which a problem finds the control. */
  pointer?: string;
}

/** A box to tick, with its label at its right and help and error below. */
export function CheckField({
  label,
  aside,
  hint,
  error,
  required,
  className,
  checked,
  disabled,
  onChange,
  pointer,
}: CheckFieldProps) {
  const id = useId();
  const described = [error ? `${id}-error` : "", hint ? `${id}-hint` : ""].filter(Boolean).join(" ");
  return (
    <div className={cx(styles.field, className)}>
      <div className={styles.head}>
        <div className={styles.check}>
          <input
            id={id}
            type="checkbox"
            checked={checked}
            disabled={disabled}
            data-pointer={pointer}
            aria-describedby={described || undefined}
            aria-invalid={error ? true : undefined}
            aria-required={required ? true : undefined}
            onChange={(event) => onChange(event.target.checked)}
          />
          <label className={styles.label} htmlFor={id}>
            {label}
            {required && <Star />}
          </label>
        </div>
        {aside && <span className={styles.aside}>{aside}</span>}
      </div>
      {hint && (
        <p className={cx(styles.hint, styles.checkHint)} id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p className={cx(styles.error, styles.checkHint)} id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

interface FieldGroupProps {
  label: ReactNode;
  aside?: ReactNode;
  hint?: ReactNode;
  error?: ReactNode;
  required?: boolean;
  /** Draws a border around the group. */
  framed?: boolean;
  pointer?: string;
  children: ReactNode;
}

/** Several controls under one label. */
export function FieldGroup({ label, aside, hint, error, required, framed, pointer, children }: FieldGroupProps) {
  const id = useId();
  const described = [error ? `${id}-error` : "", hint ? `${id}-hint` : ""].filter(Boolean).join(" ");
  return (
    // A legend can't share its line with buttons, so a label names the fieldset.
    <fieldset
      className={cx(styles.group, framed && styles.framed)}
      aria-labelledby={`${id}-label`}
      aria-describedby={described || undefined}
      data-pointer={pointer}
      tabIndex={pointer === undefined ? undefined : -1}
    >
      <div className={styles.head}>
        <span className={styles.label} id={`${id}-label`}>
          {label}
          {required && <Star />}
        </span>
        {aside && <span className={styles.aside}>{aside}</span>}
      </div>
      {hint && (
        <p className={styles.hint} id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {children}
      {error && (
        <p className={styles.error} id={`${id}-error`}>
          {error}
        </p>
      )}
    </fieldset>
  );
}
