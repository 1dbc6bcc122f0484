// What a JSON Schema (draft 2020-12, as plugins write it: inlined, without
// $ref) means for a form: one kind of field per node. A node that uses a
// keyword outside of this list becomes a field for JSON or YAML, with the
// reason, so that nothing is ever uneditable.
import type { Json } from "../../api/types";
import { capital } from "../../lib/text";

export interface JsonSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: Json;
  examples?: Json[];
  enum?: Json[];
  const?: Json;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  properties?: { [name: string]: JsonSchema };
  required?: string[];
  items?: JsonSchema | boolean;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  additionalProperties?: JsonSchema | boolean;
  oneOf?: JsonSchema[];
  deprecated?: boolean;
  "x-vwmp-secret"?: boolean;
  "x-vwmp-multiline"?: boolean;
  "x-vwmp-script"?: boolean;
  "x-vwmp-widget"?: string;
  [keyword: string]: unknown;
}

export interface Choice {
  value: Json;
  label: string;
}

export type FieldKind =
  | { kind: "text"; multiline: boolean; code: boolean; secret: boolean }
  | { kind: "number"; whole: boolean }
  | { kind: "duration" }
  | { kind: "boolean" }
  | { kind: "enum"; choices: Choice[] }
  | { kind: "const"; value: Json }
  | { kind: "choices"; choices: Choice[] }
  | { kind: "list"; items: JsonSchema }
  | { kind: "object" }
  | { kind: "map"; values: JsonSchema }
  | { kind: "any"; types: ValueType[] }
  /** Edited as text; reason says why there are no fields. */
  | { kind: "json"; reason: string };

/** The types that a value of no fixed type can be given. */
export const valueTypes = ["string", "number", "boolean", "array", "object", "null"] as const;
export type ValueType = (typeof valueTypes)[number];

/** Keywords that change what may be edited in ways no field here shows. */
const unsupported = [
  "$ref",
  "$dynamicRef",
  "anyOf",
  "oneOf",
  "allOf",
  "not",
  "if",
  "then",
  "else",
  "patternProperties",
  "propertyNames",
  "dependentSchemas",
  "dependentRequired",
  "prefixItems",
  "contains",
  "minContains",
  "maxContains",
  "unevaluatedProperties",
  "unevaluatedItems",
];

/** A value read as a schema: what is none says nothing. */
export function asSchema(value: unknown): JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonSchema) : {};
}

/** The types that a schema allows beside null; empty for any. */
export function typesOf(schema: JsonSchema): string[] {
  const types = schema.type === undefined ? [] : [schema.type].flat();
  return types.filter((type) => type !== "null");
}

export function isNullable(schema: JsonSchema): boolean {
  return [schema.type].flat().includes("null");
}

/** The text of a value as a person would write it in a list of choices. */
export function valueText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function titledChoices(schema: JsonSchema): Choice[] | undefined {
  const forms = schema.oneOf;
  if (!forms?.length || !forms.every((form) => form && Object.hasOwn(form, "const"))) return undefined;
  return forms.map((form) => ({ value: form.const!, label: form.title ?? valueText(form.const!) }));
}

function choicesOf(schema: JsonSchema): Choice[] | undefined {
  if (schema.enum) return schema.enum.map((value) => ({ value, label: valueText(value) }));
  return titledChoices(schema);
}

function listKind(schema: JsonSchema): FieldKind {
  const items = asSchema(schema.items);
  const choices = choicesOf(items);
  if (choices && schema.uniqueItems) return { kind: "choices", choices };
  return { kind: "list", items };
}

function objectKind(schema: JsonSchema): FieldKind {
  if (schema.properties && Object.keys(schema.properties).length > 0) return { kind: "object" };
  if (schema.additionalProperties === false) return { kind: "object" };
  return { kind: "map", values: asSchema(schema.additionalProperties) };
}

function typedKind(type: string, schema: JsonSchema): FieldKind {
  const widget = schema["x-vwmp-widget"];
  switch (type) {
    case "string": {
      const code = schema["x-vwmp-script"] === true || widget === "code";
      return {
        kind: "text",
        multiline: code || schema["x-vwmp-multiline"] === true,
        code,
        secret: schema["x-vwmp-secret"] === true,
      };
    }
    case "integer":
      return { kind: "number", whole: true };
    case "number":
      return { kind: "number", whole: false };
    case "boolean":
      return { kind: "boolean" };
    case "array":
      return listKind(schema);
    case "object":
      return objectKind(schema);
  }
  return {
    kind: "json",
    reason: `This has the type “${type}”, for which there is no field; write it as JSON or YAML.`,
  };
}

/** Which field edits the values of a schema. */
export function kindOf(schema: JsonSchema): FieldKind {
  if (Object.hasOwn(schema, "const")) return { kind: "const", value: schema.const! };
  if (schema["x-vwmp-widget"] === "json") return { kind: "json", reason: "Write it as JSON or YAML." };
  const choices = choicesOf(schema);
  if (choices) return { kind: "enum", choices };
  const strange = unsupported.find((keyword) => Object.hasOwn(schema, keyword));
  if (strange) {
    return {
      kind: "json",
      reason: `Its schema uses “${strange}”, which can't be shown as fields; write it as JSON or YAML.`,
    };
  }
  if (schema.format === "vwmp-duration") return { kind: "duration" };
  const types = typesOf(schema);
  if (types.length === 1) return typedKind(types[0]!, schema);
  if (types.length === 0) {
    if (schema.properties) return { kind: "object" };
    if (schema.items) return listKind(schema);
  }
  const allowed = valueTypes.filter(
    (type) => types.length === 0 || types.includes(type) || (type === "number" && types.includes("integer")),
  );
  return { kind: "any", types: allowed };
}

/** What a field is called: its title, or its key in words. */
export function labelOf(schema: JsonSchema, key: string): string {
  return schema.title || capital(key.replaceAll(/[_-]+/g, " ").replaceAll(/([a-z\d])([A-Z])/g, "$1 $2"));
}

/** A value in a word or two, for placeholders. */
function brief(value: Json): string {
  const text = Array.isArray(value) ? value.map(valueText).join(", ") : valueText(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** What stands in an empty field: the default that then applies, or an example. */
export function placeholderOf(schema: JsonSchema): string | undefined {
  if (schema.default !== undefined && schema.default !== null && schema.default !== "") return brief(schema.default);
  const example = schema.examples?.[0];
  if (example !== undefined && example !== null && typeof example !== "object") return `e.g. ${brief(example)}`;
  switch (schema.format) {
    case "vwmp-duration":
      return "e.g. 30s, 10m, 2h";
    case "date-time":
      return "e.g. 2026-12-31T18:00:00Z";
    case "date":
      return "e.g. 2026-12-31";
    case "uri":
      return "https://";
    case "email":
      return "name@example.com";
    case "duration":
      return "e.g. PT30M";
  }
  return undefined;
}

/** The bounds of a number in words, for its help. */
export function boundsOf(schema: JsonSchema): string | undefined {
  const number = (n: number) => new Intl.NumberFormat().format(n);
  const { minimum: min, maximum: max } = schema;
  if (min !== undefined && max !== undefined) return `${number(min)} to ${number(max)}.`;
  if (min !== undefined && min !== 0) return `${number(min)} or more.`;
  if (max !== undefined) return `At most ${number(max)}.`;
  return undefined;
}
