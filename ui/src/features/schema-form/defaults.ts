// Defaults of a schema. A step gets them in its config when it is made, so
// that what the form shows is what is stored; where a config is silent the
// server fills in the same ones.
import type { Json } from "../../api/types";
import { asSchema, type JsonSchema } from "./schema";

type JsonObject = { [key: string]: Json };

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The config of a new step: each property's default, and what can only have one value. */
export function defaultConfig(schema: unknown): JsonObject {
  const config: JsonObject = {};
  const { properties = {}, required = [] } = asSchema(schema);
  for (const [name, property] of Object.entries(properties)) {
    const inner = asSchema(property);
    if (inner.default !== undefined) config[name] = structuredClone(inner.default);
    else if (required.includes(name) && Object.hasOwn(inner, "const")) config[name] = structuredClone(inner.const!);
    else if (required.includes(name) && inner.properties) config[name] = defaultConfig(inner);
  }
  return config;
}

/** A config as a handler would get it: with the defaults of what it is silent about. */
export function withDefaults(schema: JsonSchema, value: Json): Json {
  if (!isObject(value) || !schema.properties) return value;
  const filled: JsonObject = { ...value };
  for (const [name, property] of Object.entries(schema.properties)) {
    const inner = asSchema(property);
    if (Object.hasOwn(filled, name)) filled[name] = withDefaults(inner, filled[name]!);
    else if (inner.default !== undefined) filled[name] = inner.default;
  }
  return filled;
}

/** What a new item of a list begins as. */
export function emptyValue(schema: JsonSchema): Json {
  if (schema.default !== undefined) return structuredClone(schema.default);
  if (Object.hasOwn(schema, "const")) return schema.const!;
  const [type] = [schema.type].flat().filter((name) => name !== "null");
  switch (type) {
    case "object":
      return defaultConfig(schema);
    case "array":
      return [];
    case "boolean":
      return false;
  }
  return schema.enum?.[0] ?? "";
}
