// Fields whose values are chosen: yes or no, one of several, some of several.
import type { Json } from "../../../api/types";
import { CheckField, Field, FieldGroup, fieldStyles } from "../../../components/Field";
import { useForm, useProblem } from "../context";
import styles from "../SchemaForm.module.css";
import { type Choice, valueText } from "../schema";
import { type FieldProps, helpOf, VariableButton } from "./frame";

const sameValue = (a: Json | undefined, b: Json | undefined) => JSON.stringify(a) === JSON.stringify(b);

export function BooleanField({ schema, label, pointer, value, required, onChange, aside }: FieldProps) {
  const { disabled } = useForm();
  const checked = (value ?? schema.default ?? false) === true;
  return (
    <CheckField
      label={label}
      hint={helpOf(schema)}
      error={useProblem(pointer)}
      required={required}
      checked={checked}
      disabled={disabled}
      pointer={pointer}
      aside={
        <>
          <VariableButton label={label} onPick={(reference) => onChange(reference)} />
          {aside}
        </>
      }
      // What is off by itself is not written down.
      onChange={(next) => onChange(next || schema.default !== undefined || required ? next : undefined)}
    />
  );
}

export function EnumField({
  schema,
  label,
  pointer,
  value,
  required,
  onChange,
  aside,
  choices,
}: FieldProps & { choices: Choice[] }) {
  const { disabled } = useForm();
  const at = choices.findIndex((choice) => sameValue(choice.value, value));
  const fallback = choices.find((choice) => sameValue(choice.value, schema.default));
  const isStrange = value !== undefined && value !== null && at < 0;
  const selected = at >= 0 ? String(at) : isStrange ? "strange" : "";
  return (
    <Field
      label={label}
      hint={helpOf(schema)}
      error={useProblem(pointer)}
      required={required}
      aside={
        <>
          <VariableButton label={label} onPick={(reference) => onChange(reference)} />
          {aside}
        </>
      }
    >
      {(control) => (
        <select
          {...control}
          className={fieldStyles.control}
          data-pointer={pointer}
          disabled={disabled}
          value={selected}
          onChange={(event) => {
            if (event.target.value === "strange") return;
            onChange(event.target.value === "" ? undefined : choices[Number(event.target.value)]!.value);
          }}
        >
          {(at < 0 || (!required && schema.default === undefined)) && !isStrange && (
            <option value="">{fallback ? `${fallback.label} (default)` : required ? "Choose one…" : "Not set"}</option>
          )}
          {isStrange && <option value="strange">{valueText(value)} (not a choice)</option>}
          {choices.map((choice, index) => (
            <option key={valueText(choice.value)} value={index}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Some of several, as boxes to tick. */
export function ChoicesField({
  schema,
  label,
  pointer,
  value,
  required,
  onChange,
  aside,
  choices,
}: FieldProps & { choices: Choice[] }) {
  const { disabled } = useForm();
  const chosen = Array.isArray(value) ? value : Array.isArray(schema.default) ? schema.default : [];
  const toggle = (choice: Choice, on: boolean) => {
    const rest = chosen.filter((item) => !sameValue(item, choice.value));
    // Kept in the order of the choices, so that ticking in another order is no change.
    const order = (item: Json) => choices.findIndex((other) => sameValue(other.value, item));
    onChange(on ? [...rest, choice.value].sort((a, b) => order(a) - order(b)) : rest);
  };
  return (
    <FieldGroup
      label={label}
      hint={helpOf(schema)}
      error={useProblem(pointer)}
      required={required}
      pointer={pointer}
      aside={
        <>
          <VariableButton label={label} onPick={(reference) => onChange(reference)} />
          {aside}
        </>
      }
    >
      <div className={styles.choices}>
        {choices.map((choice) => (
          <label key={valueText(choice.value)} className={fieldStyles.check}>
            <input
              type="checkbox"
              disabled={disabled}
              checked={chosen.some((item) => sameValue(item, choice.value))}
              onChange={(event) => toggle(choice, event.target.checked)}
            />
            {choice.label}
          </label>
        ))}
      </div>
    </FieldGroup>
  );
}

/** A value that can only be one. */
export function ConstField({ schema, label, pointer, value, required, onChange, fixed }: FieldProps & { fixed: Json }) {
  const { disabled } = useForm();
  const error = useProblem(pointer);
  if (sameValue(value, fixed) && required) {
    return (
      <Field label={label} hint={helpOf(schema)} error={error} required={required}>
        {(control) => (
          <input
            {...control}
            className={fieldStyles.control}
            data-pointer={pointer}
            value={valueText(fixed)}
            readOnly
          />
        )}
      </Field>
    );
  }
  return (
    <CheckField
      label={`${label}: ${valueText(fixed)}`}
      hint={helpOf(schema)}
      error={error}
      required={required}
      checked={sameValue(value, fixed)}
      disabled={disabled}
      pointer={pointer}
      onChange={(on) => onChange(on ? fixed : undefined)}
    />
  );
}
