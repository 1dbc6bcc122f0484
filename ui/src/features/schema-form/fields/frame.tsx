// What the fields have in common: the button for variables, the mark of a
// field that holds one, and the help below.
import { Braces, X } from "lucide-react";
import { type ReactNode, type RefObject, useRef } from "react";
import type { Json } from "../../../api/types";
import { IconButton } from "../../../components/Button";
import { Field } from "../../../components/Field";
import { type EditOptions, useForm, useProblem } from "../context";
import styles from "../SchemaForm.module.css";
import { boundsOf, type JsonSchema } from "../schema";
import { VariableInput } from "../VariableInput";

export interface FieldProps {
  schema: JsonSchema;
  label: string;
  /** Where the value is in the document: ties it to its problems. */
  pointer: string;
  value: Json | undefined;
  required?: boolean;
  /** Without a value the key is taken out. */
  onChange: (value: Json | undefined, options?: EditOptions) => void;
  /** Further buttons beside the label, such as those of a list's item. */
  aside?: ReactNode;
}

/** The help of a field: its description, with the bounds where it has some. */
export function helpOf(schema: JsonSchema): string | undefined {
  const words = [schema.description, boundsOf(schema), schema.deprecated ? "No longer in use." : undefined];
  return words.filter(Boolean).join(" ") || undefined;
}

/** Says that a field holds a variable. */
export function VariableMark() {
  return <span className={styles.mark}>variable</span>;
}

interface VariableButtonProps {
  label: string;
  secretsFirst?: boolean;
  returnTo?: RefObject<HTMLElement | null>;
  onPick: (reference: string) => void;
}

/** Opens the list of all variables for one field. */
export function VariableButton({ label, secretsFirst, returnTo, onPick }: VariableButtonProps) {
  const { variables, browse, disabled } = useForm();
  if (variables === null) return null;
  return (
    <IconButton
      size="tiny"
      label={`Insert a variable: ${label}`}
      icon={<Braces />}
      disabled={disabled}
      onClick={() => browse(onPick, { secretsFirst, returnTo })}
    />
  );
}

/** A field of any kind whose value is a reference: text until the variable is taken out. */
export function VariableField({ schema, label, pointer, value, required, onChange, aside }: FieldProps) {
  const { variables, disabled } = useForm();
  const box = useRef<HTMLInputElement>(null);
  return (
    <Field
      label={label}
      hint={helpOf(schema)}
      error={useProblem(pointer)}
      required={required}
      aside={
        <>
          <VariableMark />
          <VariableButton label={label} returnTo={box} onPick={(reference) => onChange(reference)} />
          <IconButton
            size="tiny"
            label={`Take out the variable: ${label}`}
            icon={<X />}
            disabled={disabled}
            onClick={() => onChange(schema.default)}
          />
          {aside}
        </>
      }
    >
      {(control) => (
        <VariableInput
          mono
          boxRef={box}
          value={String(value)}
          variables={variables}
          pointer={pointer}
          control={{ ...control, disabled }}
          onChange={(text) => onChange(text === "" ? undefined : text, { join: pointer })}
        />
      )}
    </Field>
  );
}
