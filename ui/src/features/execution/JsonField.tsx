import type { ReactNode } from "react";
import type { Json } from "../../api/types";
import { cx } from "../../components/cx";
import { Field, fieldStyles } from "../../components/Field";

export type Parsed = { ok: true; value: Json | undefined } | { ok: false; message: string };

/** Reads JSON that a person wrote; nothing at all is no value. */
export function parseJson(text: string, object = false): Parsed {
  if (text.trim() === "") return { ok: true, value: undefined };
  try {
    const value = JSON.parse(text) as Json;
    if (object && (typeof value !== "object" || value === null || Array.isArray(value)))
      return { ok: false, message: "It must be an object: { … }." };
    return { ok: true, value };
  } catch (error) {
    return { ok: false, message: `This is no JSON: ${error instanceof Error ? error.message : error}.` };
  }
}

/** A value as it is written in a JSON field. */
export function jsonText(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value, null, 2);
}

interface JsonFieldProps {
  label: string;
  hint?: ReactNode;
  text: string;
  onChange: (text: string) => void;
  error?: ReactNode;
  rows?: number;
}

/** A value written as JSON. */
export function JsonField({ label, hint, text, onChange, error, rows = 5 }: JsonFieldProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <textarea
          {...control}
          className={cx(fieldStyles.control, fieldStyles.mono)}
          rows={rows}
          spellCheck={false}
          value={text}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
