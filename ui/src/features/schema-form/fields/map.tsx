// Maps: with known keys as fields of their own, with free keys as rows.
import { Plus, Trash2 } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import type { Json } from "../../../api/types";
import { Button, IconButton } from "../../../components/Button";
import { FieldGroup, fieldStyles } from "../../../components/Field";
import { below } from "../../../lib/pointer";
import { type EditOptions, useForm, useProblem } from "../context";
import { emptyValue } from "../defaults";
import { SchemaField } from "../SchemaField";
import styles from "../SchemaForm.module.css";
import { asSchema, type JsonSchema, labelOf, typesOf, valueText } from "../schema";
import { type FieldProps, helpOf, VariableButton } from "./frame";

type JsonObject = { [key: string]: Json };

export function asObject(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

function withKey(value: JsonObject, key: string, next: Json | undefined): JsonObject {
  if (next !== undefined) return { ...value, [key]: next };
  const { [key]: _, ...rest } = value;
  return rest;
}

interface PropertiesProps {
  schema: JsonSchema;
  pointer: string;
  value: JsonObject;
  onChange: (value: JsonObject, options?: EditOptions) => void;
}

/** The fields of a map's known keys, and what else stands in it. */
export function Properties({ schema, pointer, value, onChange }: PropertiesProps) {
  const properties = Object.entries(schema.properties ?? {});
  const strange = Object.keys(value).filter((key) => !Object.hasOwn(schema.properties ?? {}, key));
  const set = (key: string) => (next: Json | undefined, options?: EditOptions) =>
    onChange(withKey(value, key, next), options);
  return (
    <>
      {properties.map(([key, property]) => (
        <SchemaField
          key={key}
          schema={asSchema(property)}
          label={labelOf(asSchema(property), key)}
          pointer={below(pointer, key)}
          value={value[key]}
          required={schema.required?.includes(key)}
          onChange={set(key)}
        />
      ))}
      {schema.additionalProperties === false
        ? strange.map((key) => (
            <UnknownKey
              key={key}
              name={key}
              pointer={below(pointer, key)}
              value={value[key]!}
              onRemove={() => set(key)(undefined)}
            />
          ))
        : (strange.length > 0 || schema.additionalProperties !== undefined) && (
            <Rows
              label="Further keys"
              pointer={pointer}
              values={asSchema(schema.additionalProperties)}
              value={Object.fromEntries(strange.map((key) => [key, value[key]!]))}
              onChange={(rest, options) => {
                const known = Object.fromEntries(Object.entries(value).filter(([key]) => !strange.includes(key)));
                onChange({ ...known, ...rest }, options);
              }}
            />
          )}
    </>
  );
}

function UnknownKey({
  name,
  pointer,
  value,
  onRemove,
}: {
  name: string;
  pointer: string;
  value: Json;
  onRemove: () => void;
}) {
  const { disabled } = useForm();
  return (
    <FieldGroup
      label={name}
      error={useProblem(pointer) ?? "This step knows no such field."}
      pointer={pointer}
      aside={
        <IconButton size="tiny" label={`Remove ${name}`} icon={<Trash2 />} disabled={disabled} onClick={onRemove} />
      }
    >
      <code className={styles.unknown}>{valueText(value)}</code>
    </FieldGroup>
  );
}

/** A map with known keys, framed. An empty one is taken out where it is not required. */
export function ObjectField({ schema, label, pointer, value, required, onChange, aside }: FieldProps) {
  return (
    <FieldGroup
      framed
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
      <div className={styles.fields}>
        <Properties
          schema={schema}
          pointer={pointer}
          value={asObject(value)}
          onChange={(next, options) =>
            onChange(Object.keys(next).length === 0 && !required ? undefined : next, options)
          }
        />
      </div>
    </FieldGroup>
  );
}

/** A map with free keys. */
export function MapField({
  schema,
  label,
  pointer,
  value,
  required,
  onChange,
  aside,
  values,
}: FieldProps & { values: JsonSchema }) {
  return (
    <Rows
      label={label}
      hint={helpOf(schema)}
      required={required}
      pointer={pointer}
      values={values}
      example={asObject(schema.examples?.[0])}
      value={asObject(value ?? schema.default)}
      aside={
        <>
          <VariableButton label={label} onPick={(reference) => onChange(reference)} />
          {aside}
        </>
      }
      onChange={(next, options) =>
        onChange(
          Object.keys(next).length === 0 && !required && schema.default === undefined ? undefined : next,
          options,
        )
      }
    />
  );
}

interface Row {
  id: number;
  key: string;
  value: Json;
}

interface RowsProps {
  label: string;
  hint?: string;
  required?: boolean;
  pointer: string;
  values: JsonSchema;
  example?: JsonObject;
  value: JsonObject;
  aside?: React.ReactNode;
  onChange: (value: JsonObject, options?: EditOptions) => void;
}

/** Key and value side by side. A row whose key is empty or stands twice is kept here until it is put right. */
function Rows({ label, hint, required, pointer, values, example, value, aside, onChange }: RowsProps) {
  const { disabled } = useForm();
  const next = useRef(0);
  const body = useRef<HTMLDivElement>(null);
  const focus = useRef<number | "add">(undefined);
  const [rows, setRows] = useState<Row[]>([]);
  const current = sameRows(rows, value)
    ? rows
    : Object.entries(value).map(([key, inner], index) => ({
        id: rows[index]?.id ?? next.current++,
        key,
        value: inner,
      }));
  if (current !== rows) setRows(current);
  useEffect(() => {
    const to = focus.current;
    focus.current = undefined;
    if (to === "add") body.current?.querySelector<HTMLElement>("[data-add]")?.focus();
    else if (to !== undefined) body.current?.querySelector<HTMLElement>(`[data-row="${to}"] input`)?.focus();
  });
  const change = (after: Row[], options?: EditOptions) => {
    setRows(after);
    onChange(objectOf(after), options);
  };
  const add = () => {
    const id = next.current++;
    focus.current = id;
    setRows([...current, { id, key: "", value: emptyValue(values) }]);
  };
  const remove = (at: number) => {
    focus.current = (current[at + 1] ?? current[at - 1])?.id ?? "add";
    change(current.filter((_, index) => index !== at));
  };
  return (
    <FieldGroup
      label={label}
      hint={hint}
      error={useProblem(pointer)}
      required={required}
      pointer={pointer}
      aside={aside}
    >
      <div className={styles.items} ref={body}>
        {current.map((row, index) => (
          <MapRow
            key={row.id}
            row={row}
            label={label}
            values={values}
            pointer={pointer}
            placeholder={Object.keys(example ?? {})[index] ?? "Name"}
            problem={keyProblem(current, index)}
            onKey={(key) => change(current.with(index, { ...row, key }), { join: `${pointer} key ${row.id}` })}
            onValue={(inner, options) => change(current.with(index, { ...row, value: inner }), options)}
            onRemove={() => remove(index)}
          />
        ))}
        <div>
          <Button
            size="small"
            icon={<Plus />}
            data-add=""
            disabled={disabled}
            onClick={add}
            aria-label={`Add entry to ${label}`}
          >
            Add entry
          </Button>
        </div>
      </div>
    </FieldGroup>
  );
}

function keyProblem(rows: Row[], at: number): string | undefined {
  const { key } = rows[at]!;
  if (key === "") return "Give it a name; until then it is not kept.";
  return rows.findIndex((row) => row.key === key) < at ? "This name stands twice; only the first is kept." : undefined;
}

/** The map of the rows that can be kept. */
function objectOf(rows: Row[]): JsonObject {
  const value: JsonObject = {};
  for (const row of rows) if (row.key !== "" && !Object.hasOwn(value, row.key)) value[row.key] = row.value;
  return value;
}

function sameRows(rows: Row[], value: JsonObject): boolean {
  return JSON.stringify(Object.entries(objectOf(rows))) === JSON.stringify(Object.entries(value));
}

interface MapRowProps {
  row: Row;
  label: string;
  values: JsonSchema;
  pointer: string;
  placeholder: string;
  problem?: string;
  onKey: (key: string) => void;
  onValue: (value: Json, options?: EditOptions) => void;
  onRemove: () => void;
}

function MapRow({ row, label, values, pointer, placeholder, problem, onKey, onValue, onRemove }: MapRowProps) {
  const { disabled } = useForm();
  const problemId = useId();
  return (
    <fieldset className={styles.row} data-row={row.id} aria-label={row.key || `New entry of ${label}`}>
      <div className={styles.key}>
        <input
          className={fieldStyles.control}
          aria-label="Name"
          aria-invalid={problem ? true : undefined}
          aria-describedby={problem ? problemId : undefined}
          placeholder={placeholder}
          value={row.key}
          disabled={disabled}
          autoComplete="off"
          onChange={(event) => onKey(event.target.value)}
        />
        <IconButton
          size="small"
          label={`Remove ${row.key || "the entry"}`}
          icon={<Trash2 />}
          disabled={disabled}
          onClick={onRemove}
        />
      </div>
      {problem && (
        <p className={fieldStyles.error} id={problemId}>
          {problem}
        </p>
      )}
      <SchemaField
        schema={values}
        label={values.title || "Value"}
        pointer={below(pointer, row.key)}
        value={row.value}
        onChange={(inner, options) => onValue(inner ?? (typesOf(values).includes("string") ? "" : null), options)}
      />
    </fieldset>
  );
}
