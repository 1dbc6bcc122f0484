// Fields for values of no fixed form: a value whose type is chosen, and text
// in JSON or YAML.
import { useEffect, useRef, useState } from "react";
import type { Json } from "../../../api/types";
import { cx } from "../../../components/cx";
import { Field, FieldGroup, fieldStyles } from "../../../components/Field";
import { useForm, useProblem } from "../context";
import { isVariable } from "../references";
import { SchemaField } from "../SchemaField";
import styles from "../SchemaForm.module.css";
import type { JsonSchema, ValueType } from "../schema";
import { type FieldProps, helpOf, VariableButton, VariableMark } from "./frame";

const typeNames: { [type in ValueType]: string } = {
  string: "Text",
  number: "Number",
  boolean: "Yes or no",
  array: "List",
  object: "Map",
  null: "Nothing",
};

const schemas: { [type in ValueType]: JsonSchema } = {
  string: { type: "string" },
  number: { type: "number" },
  boolean: { type: "boolean" },
  array: { "x-vwmp-widget": "json" },
  object: { "x-vwmp-widget": "json" },
  null: { const: null },
};

const starts: { [type in ValueType]: Json } = {
  string: "",
  number: 0,
  boolean: false,
  array: [],
  object: {},
  null: null,
};

function typeOf(value: Json | undefined): ValueType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "number" || type === "boolean" || type === "object" ? type : "string";
}

/** A value whose type is chosen beside it. */
export function AnyField({
  schema,
  label,
  pointer,
  value,
  required,
  onChange,
  aside,
  types,
}: FieldProps & { types: ValueType[] }) {
  const { disabled } = useForm();
  const type = value === undefined && !types.includes("string") ? (types[0] ?? "string") : typeOf(value);
  return (
    <FieldGroup
      label={label}
      hint={helpOf(schema)}
      required={required}
      pointer={pointer}
      error={useProblem(pointer)}
      aside={aside}
    >
      <select
        className={fieldStyles.control}
        aria-label={`${label}: type`}
        disabled={disabled}
        value={type}
        onChange={(event) => onChange(starts[event.target.value as ValueType])}
      >
        {(types.includes(type) ? types : [type, ...types]).map((name) => (
          <option key={name} value={name}>
            {typeNames[name]}
          </option>
        ))}
      </select>
      {type !== "null" && (
        <div className={styles.untold}>
          <SchemaField
            schema={schemas[type]}
            label={typeNames[type]}
            pointer={pointer}
            value={value}
            onChange={(next, options) => onChange(next ?? (type === "string" ? "" : undefined), options)}
          />
        </div>
      )}
    </FieldGroup>
  );
}

type Parse = (text: string) => Json;

let yaml: Promise<Parse> | undefined;

/** The YAML reader, which is fetched when it is first needed. */
function loadYaml(): Promise<Parse> {
  yaml ??= import("yaml").then(
    ({ parse }) =>
      (text) =>
        parse(text, { schema: "core" }) as Json,
  );
  return yaml;
}

/** Reads JSON, or YAML where it is none. */
async function parseText(text: string): Promise<Json | undefined> {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return (await loadYaml())(text);
  }
}

const printed = (value: Json | undefined) => (value === undefined ? "" : JSON.stringify(value, null, 2));

/** A value as JSON or YAML. What can't be read stays in the field and changes nothing. */
export function JsonField({
  schema,
  label,
  pointer,
  value,
  required,
  onChange,
  aside,
  reason,
}: FieldProps & { reason: string }) {
  const { disabled, variables } = useForm();
  const problem = useProblem(pointer);
  const [draft, setDraft] = useState<{ text: string; value: Json | undefined }>();
  const [wrong, setWrong] = useState<string>();
  const reads = useRef(0);
  // An edit from elsewhere, such as an undo, goes before what was typed.
  const stale = draft !== undefined && JSON.stringify(draft.value) !== JSON.stringify(value);
  useEffect(() => {
    if (stale) {
      setDraft(undefined);
      setWrong(undefined);
    }
  }, [stale]);
  const text = draft && !stale ? draft.text : printed(value);
  const change = async (next: string) => {
    const read = ++reads.current;
    setDraft({ text: next, value });
    try {
      const parsed = await parseText(next);
      if (read !== reads.current) return;
      setWrong(undefined);
      setDraft({ text: next, value: parsed });
      if (JSON.stringify(parsed) !== JSON.stringify(value)) onChange(parsed, { join: pointer });
    } catch (error) {
      if (read === reads.current) setWrong(`This can't be read: ${firstLine(error)}`);
    }
  };
  return (
    <Field
      label={label}
      hint={[helpOf(schema), reason].filter(Boolean).join(" ")}
      error={wrong ?? problem}
      required={required}
      aside={
        <>
          {variables && isVariable(value) && <VariableMark />}
          <VariableButton label={label} onPick={(reference) => onChange(reference)} />
          {aside}
        </>
      }
    >
      {(control) => (
        <textarea
          {...control}
          className={cx(fieldStyles.control, fieldStyles.mono)}
          data-pointer={pointer}
          disabled={disabled}
          rows={Math.min(14, Math.max(4, text.split("\n").length))}
          spellCheck={false}
          value={text}
          onChange={(event) => void change(event.target.value)}
        />
      )}
    </Field>
  );
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!.replace(/[:.]$/, "").concat(".");
}
