// Checks a value against a schema in the page, at once and without eval. The
// server checks again and has the last word; the sentences here are shorter,
// as they stand below the field that they are about.
import { format, type OutputUnit, Validator } from "@cfworker/json-schema";
import type { Json } from "../../api/types";
import { didYouMean, nearest } from "../../lib/nearest";
import { below, isWithin, keysOf, valueAt } from "../../lib/pointer";
import { count } from "../../lib/text";
import { withDefaults } from "./defaults";
import { referencesIn } from "./references";
import { asSchema, type JsonSchema, labelOf, valueText } from "./schema";

export interface FieldProblem {
  /** Where in the value. */
  pointer: string;
  code: string;
  /** A sentence that stands below the field. */
  message: string;
  /** What the field is called, with those around it. */
  field: string;
}

const durationPattern = /^\+?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

/** Whether a value is a duration: a number of seconds from 0 up, or text such as "50ms" or "2h". */
export function isDuration(value: unknown): boolean {
  if (typeof value === "number") return value >= 0;
  return typeof value === "string" && durationPattern.test(value);
}

// Only texts come here; numbers of seconds are judged by judgeNumber.
format["vwmp-duration"] = isDuration;

const validators = new WeakMap<JsonSchema, Validator>();

/** A copy that this page can check by: patterns that only the server's expressions know are left to it. */
function checkable(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(checkable);
  if (typeof node !== "object" || node === null) return node;
  const copy: { [keyword: string]: unknown } = {};
  for (const [keyword, value] of Object.entries(node)) {
    if (keyword === "pattern" && typeof value === "string" && !compiles(value)) continue;
    if (keyword === "default" || keyword === "examples" || keyword === "enum" || keyword === "const") {
      copy[keyword] = value;
      continue;
    }
    copy[keyword] = checkable(value);
  }
  return copy;
}

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false;
  }
}

function validatorOf(schema: JsonSchema): Validator {
  let validator = validators.get(schema);
  if (!validator) {
    validator = new Validator(checkable(schema) as never, "2020-12", false);
    validators.set(schema, validator);
  }
  return validator;
}

/** Keywords that only pass on what is wrong further in. */
const passing = new Set(["properties", "items", "patternProperties", "prefixItems", "$ref", "allOf", "if"]);
/** Keywords about which keys or how many items there are, which no reference further in changes. */
const aboutKeys = new Set(["required", "additionalProperties", "false", "minItems", "maxItems", "type"]);

/**
 * The problems of a value. Values with a reference in them are not judged by
 * type, as the reference may become anything; defaults count as given.
 */
export function validate(schema: JsonSchema, value: Json | undefined): FieldProblem[] {
  const filled = withDefaults(schema, value ?? {});
  let units: OutputUnit[];
  try {
    units = validatorOf(schema).validate(filled).errors;
  } catch {
    // A schema that this validator can't read: the server judges alone.
    return [];
  }
  const open = referencesIn(filled).map((found) => found.pointer);
  const problems: FieldProblem[] = [];
  const seen = new Set<string>();
  for (const unit of units) {
    for (const problem of problemsOf(schema, filled, unit, open)) {
      // A key that is not allowed is told of twice: as unknown, and as judged by the schema false.
      const key = `${problem.pointer} ${problem.code === "false" ? "unknown_key" : problem.code}`;
      if (!seen.has(key)) problems.push(problem);
      seen.add(key);
    }
  }
  // A key that is not allowed was told of as unknown where it stands.
  return problems.filter(({ pointer, code }) => code !== "false" || !seen.has(`${pointer} unknown_key`));
}

function problemsOf(schema: JsonSchema, value: Json, unit: OutputUnit, open: string[]): FieldProblem[] {
  const pointer = decodeURIComponent(unit.instanceLocation.slice(1));
  if (passing.has(unit.keyword) || open.some((place) => isWithin(pointer, place))) return [];
  // Of alternatives only the whole is told: which one was meant is not known.
  if (/\/(anyOf|oneOf|not|if)\/./.test(unit.keywordLocation.replace(/\/(anyOf|oneOf)$/, ""))) return [];
  if (!aboutKeys.has(unit.keyword) && open.some((place) => isWithin(place, pointer))) return [];
  const path = keysOf(decodeURIComponent(unit.keywordLocation.slice(1))).slice(0, -1);
  const node = schemaAt(schema, path);
  const at = valueAt(value, pointer);
  if (unit.keyword === "required") {
    return (node.required ?? [])
      .filter((key) => !Object.hasOwn(Object(at), key))
      .map((key) => make(schema, below(pointer, key), "missing_key", "This is required."));
  }
  if (unit.keyword === "additionalProperties") return unknownKeys(schema, node, pointer, at);
  const message = sentence(unit.keyword, node, at);
  return message ? [make(schema, pointer, unit.keyword, message)] : [];
}

function unknownKeys(schema: JsonSchema, node: JsonSchema, pointer: string, at: unknown): FieldProblem[] {
  if (node.additionalProperties !== false) return [];
  const known = Object.keys(node.properties ?? {});
  return Object.keys(Object(at))
    .filter((key) => !known.includes(key))
    .map((key) =>
      make(schema, below(pointer, key), "unknown_key", `There is no field “${key}”${didYouMean(nearest(key, known))}`),
    );
}

/** The schema at the end of a path of keywords. */
function schemaAt(schema: JsonSchema, path: string[]): JsonSchema {
  let node: unknown = schema;
  for (const key of path) node = (Object(node) as { [key: string]: unknown })[key];
  return asSchema(node);
}

function make(schema: JsonSchema, pointer: string, code: string, message: string): FieldProblem {
  return { pointer, code, message, field: fieldName(schema, pointer) };
}

/** The labels on the way to a field: "Sign-in › Token", "Paths › 2". */
export function fieldName(schema: JsonSchema, pointer: string): string {
  const names: string[] = [];
  let node = schema;
  for (const key of keysOf(pointer)) {
    if (node.properties?.[key]) {
      node = asSchema(node.properties[key]);
      names.push(labelOf(node, key));
    } else if (node.items && /^\d+$/.test(key)) {
      node = asSchema(node.items);
      names.push(String(Number(key) + 1));
    } else {
      node = asSchema(node.additionalProperties);
      names.push(key);
    }
  }
  return names.join(" › ");
}

const typeWords: { [type: string]: string } = {
  string: "text",
  number: "a number",
  integer: "a whole number",
  boolean: "yes or no",
  array: "a list",
  object: "a map",
  null: "nothing",
};

function typeSentence(node: JsonSchema): string {
  if (node.format === "vwmp-duration") return durationSentence;
  const words = [node.type ?? []].flat().map((type) => typeWords[type] ?? type);
  return `This must be ${words.join(" or ")}.`;
}

const durationSentence = "Write a number of seconds, or text such as 50ms, 90s or 2h.";

const formats: { [name: string]: string } = {
  "vwmp-duration": durationSentence,
  uri: "This is not an address, such as https://example.com.",
  email: "This is not an e-mail address, such as name@example.com.",
  "date-time": "This is not a date and time, such as 2026-12-31T18:00:00Z.",
  date: "This is not a date, such as 2026-12-31.",
  time: "This is not a time, such as 18:00:00Z.",
  duration: "This is not a duration, such as PT30M.",
};

function enumSentence(choices: Json[], at: unknown): string {
  const words = choices.map(valueText);
  const near = typeof at === "string" ? nearest(at, words) : undefined;
  const list = words.length > 12 ? `${words.slice(0, 12).join(", ")}, …` : words.join(", ");
  return `Choose one of ${list}${didYouMean(near)}`;
}

/** What a violated keyword means, or undefined for one that says nothing by itself. */
function sentence(keyword: string, node: JsonSchema, at: unknown): string | undefined {
  const number = (n: unknown) => new Intl.NumberFormat().format(Number(n));
  switch (keyword) {
    case "type":
      return typeSentence(node);
    case "enum":
      return enumSentence(node.enum ?? [], at);
    case "const":
      return `This must be ${valueText(node.const ?? null)}.`;
    case "format":
      return formats[String(node.format)] ?? `This does not have the format “${node.format}”.`;
    case "pattern":
      return `This does not have the right form. It must match ${node.pattern}`;
    case "minLength":
      if (node.minLength === 1) return "This must not be empty.";
      return `At least ${count(node.minLength!, "character")}; there ${has(String(at).length)}.`;
    case "maxLength":
      return `At most ${count(node.maxLength!, "character")}; there ${has(String(at).length)}.`;
    case "minimum":
      return `This must be ${number(node.minimum)} or more.`;
    case "maximum":
      return `This must be ${number(node.maximum)} or less.`;
    case "exclusiveMinimum":
      return `This must be more than ${number(node.exclusiveMinimum)}.`;
    case "exclusiveMaximum":
      return `This must be less than ${number(node.exclusiveMaximum)}.`;
    case "false":
      return "This is not allowed; remove it.";
    case "multipleOf":
      return `This must be a multiple of ${number(node.multipleOf)}.`;
    case "minItems":
      return `At least ${count(node.minItems!, "item")}.`;
    case "maxItems":
      return `At most ${count(node.maxItems!, "item")}.`;
    case "uniqueItems":
      return "The same item stands twice; remove one.";
    case "minProperties":
      return node.maxProperties === node.minProperties && node.minProperties === 1
        ? "Fill in one of these."
        : `Fill in at least ${number(node.minProperties)} of these.`;
    case "maxProperties":
      return `Fill in only ${number(node.maxProperties)} of these, not ${number(Object.keys(Object(at)).length)}.`;
    case "anyOf":
    case "oneOf":
    case "not":
      return node.oneOf?.every((form) => Object.hasOwn(form, "const"))
        ? enumSentence(
            node.oneOf.map((form) => form.const!),
            at,
          )
        : "This fits none of the allowed forms; see the description.";
  }
  return undefined;
}

function has(n: number): string {
  return n === 1 ? "is 1" : `are ${new Intl.NumberFormat().format(n)}`;
}
