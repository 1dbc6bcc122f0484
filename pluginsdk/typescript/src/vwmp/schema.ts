// Schemas of configs and outputs, from which types, forms and checks come.
import { Invalid } from "./outcome.js";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A schema of values of type T. */
export interface Schema<T> {
  readonly json: Record<string, unknown>;
  /** It may be left out. */
  readonly optional: boolean;
  readonly fallback: T | undefined;
  /** Reads a value over the defaults; throws Invalid. */
  read(value: unknown, pointer: string): T;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

/** What the form shows and checks. */
export interface Hints<T> {
  title?: string;
  description?: string;
  default?: T;
  example?: T;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  secret?: boolean;
  multiline?: boolean;
  widget?: string;
}

function keywords<T>(hints: Hints<T>): Record<string, unknown> {
  const { example, secret, multiline, widget, ...rest } = hints;
  const found: Record<string, unknown> = { ...rest };
  if (example !== undefined) found.examples = [example];
  if (secret) Object.assign(found, { "x-vwmp-secret": true, writeOnly: true });
  if (multiline) found["x-vwmp-multiline"] = true;
  if (widget) found["x-vwmp-widget"] = widget;
  return found;
}

function make<T>(json: Record<string, unknown>, hints: Hints<T>, read: (value: unknown, pointer: string) => T): Schema<T> {
  return { json: { ...json, ...keywords(hints) }, optional: hints.default !== undefined, fallback: hints.default, read };
}

function simple<T>(type: string, is: (value: unknown) => boolean) {
  return (hints: Hints<T> = {}): Schema<T> =>
    make({ type }, hints, (value, pointer) => {
      if (!is(value)) throw new Invalid(pointer, `it must be of type ${type}`);
      return value as T;
    });
}

/** A key as a part of a JSON pointer (RFC 6901). */
export const escape = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");

type Shape = Record<string, Schema<unknown>>;
type ObjectOf<S extends Shape> = { [K in keyof S]: Infer<S[K]> };

/** Builds schemas; s.object gives configs and outputs. */
export const s = {
  string: simple<string>("string", (value) => typeof value === "string"),
  number: simple<number>("number", (value) => typeof value === "number"),
  integer: simple<number>("integer", (value) => Number.isInteger(value)),
  boolean: simple<boolean>("boolean", (value) => typeof value === "boolean"),

  /** Any JSON. */
  any: (hints: Hints<Json> = {}): Schema<Json> => make({}, hints, (value) => value as Json),

  /** One of some texts. */
  choice: <const T extends string>(choices: readonly T[], hints: Hints<NoInfer<T>> = {}): Schema<T> =>
    make<T>({ type: "string", enum: choices }, hints, (value, pointer) => {
      if (!choices.includes(value as T)) throw new Invalid(pointer, `it must be one of ${choices.join(", ")}`);
      return value as T;
    }),

  list: <T>(items: Schema<T>, hints: Hints<T[]> = {}): Schema<T[]> =>
    make<T[]>({ type: "array", items: items.json }, hints, (value, pointer) => {
      if (!Array.isArray(value)) throw new Invalid(pointer, "it must be a list");
      return value.map((one, i) => items.read(one, `${pointer}/${i}`));
    }),

  map: <T>(values: Schema<T>, hints: Hints<Record<string, T>> = {}): Schema<Record<string, T>> =>
    make<Record<string, T>>({ type: "object", additionalProperties: values.json }, hints, (value, pointer) =>
      Object.fromEntries(Object.entries(asObject(value, pointer)).map(([key, one]) => [key, values.read(one, `${pointer}/${escape(key)}`)])),
    ),

  /** May be left out, and is undefined then. */
  optional: <T>(inner: Schema<T>): Schema<T | undefined> => ({
    json: inner.json, optional: true, fallback: undefined,
    read: (value, pointer) => (value === undefined ? undefined : inner.read(value, pointer)),
  }),

  object: <S extends Shape>(shape: S, hints: Hints<ObjectOf<S>> = {}): Schema<ObjectOf<S>> => {
    const required = Object.keys(shape).filter((key) => !shape[key]!.optional);
    const json: Record<string, unknown> = {
      type: "object", properties: Object.fromEntries(Object.entries(shape).map(([key, schema]) => [key, schema.json])), additionalProperties: false,
    };
    if (required.length > 0) json.required = required;
    return make<ObjectOf<S>>(json, hints, (value, pointer) => {
      const given = asObject(value, pointer);
      for (const key of Object.keys(given)) {
        if (!Object.hasOwn(shape, key)) {
          throw new Invalid(`${pointer}/${escape(key)}`, `there is no key "${key}"; the keys are ${Object.keys(shape).join(", ")}`);
        }
      }
      const read: Record<string, unknown> = {};
      for (const [key, schema] of Object.entries(shape)) {
        const at = `${pointer}/${escape(key)}`;
        if (Object.hasOwn(given, key)) read[key] = schema.read(given[key], at);
        else if (schema.optional) read[key] = structuredClone(schema.fallback);
        else throw new Invalid(at, `${key} is missing`);
      }
      return read as ObjectOf<S>;
    });
  },
};

function asObject(value: unknown, pointer: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Invalid(pointer, "it must be an object");
  return value as Record<string, unknown>;
}
