import { describe, expect, test } from "vitest";
import { defaultConfig, withDefaults } from "./defaults";
import { type JsonSchema, kindOf } from "./schema";
import { isDuration, validate } from "./validate";

const told = (schema: JsonSchema, value: unknown) =>
  validate(schema, value as never).map(({ pointer, message }) => `${pointer} ${message}`);

describe("point 42: the checks of a form", () => {
  test.each([
    [{ required: ["a"], properties: { a: { type: "string" } } }, {}, "/a This is required."],
    [{ properties: { a: { type: "integer" } } }, { a: 1.5 }, "/a This must be a whole number."],
    [{ properties: { a: { type: "string" } } }, { a: 1 }, "/a This must be text."],
    [
      { properties: { a: { enum: ["patch", "minor"] } } },
      { a: "path" },
      "/a Choose one of patch, minor; did you mean “patch”?",
    ],
    [{ properties: { a: { const: 4 } } }, { a: 5 }, "/a This must be 4."],
    [{ properties: { a: { type: "string", minLength: 1 } } }, { a: "" }, "/a This must not be empty."],
    [{ properties: { a: { type: "string", maxLength: 2 } } }, { a: "abc" }, "/a At most 2 characters; there are 3."],
    [{ properties: { a: { type: "number", minimum: 1 } } }, { a: 0 }, "/a This must be 1 or more."],
    [
      { properties: { a: { type: "string", format: "email" } } },
      { a: "x" },
      "/a This is not an e-mail address, such as name@example.com.",
    ],
    [
      { properties: { a: { type: "string", format: "uri" } } },
      { a: "x" },
      "/a This is not an address, such as https://example.com.",
    ],
    [
      { properties: { a: { type: ["number", "string"], format: "vwmp-duration" } } },
      { a: "1 day" },
      "/a Write a number of seconds, or text such as 50ms, 90s or 2h.",
    ],
    [
      { properties: { a: { type: "array", maxItems: 1, items: { type: "string" } } } },
      { a: ["x", "y"] },
      "/a At most 1 item.",
    ],
    [
      { properties: { a: { type: "array", uniqueItems: true } } },
      { a: ["x", "x"] },
      "/a The same item stands twice; remove one.",
    ],
    [
      { properties: { token: {} }, additionalProperties: false },
      { tokn: 1 },
      "/tokn There is no field “tokn”; did you mean “token”?",
    ],
    [
      { properties: { a: { properties: { b: { type: "boolean" } } } } },
      { a: { b: "x" } },
      "/a/b This must be yes or no.",
    ],
    [{ minProperties: 1, maxProperties: 1, properties: { a: {}, b: {} } }, {}, " Fill in one of these."],
    [
      { properties: { a: { oneOf: [{ const: "x", title: "X" }] } } },
      { a: "y" },
      "/a Choose one of x; did you mean “x”?",
    ],
  ])("%j refuses %j", (schema, value, message) => {
    expect(told(schema, value)).toEqual([message]);
  });

  test("a default counts as given, and a pattern that only the server knows is left to it", () => {
    expect(told({ required: ["a"], properties: { a: { type: "string", default: "x" } } }, {})).toEqual([]);
    expect(told({ properties: { a: { type: "string", pattern: "(?i)^v" } } }, { a: "V1" })).toEqual([]);
  });

  test("a problem names its field with those around it", () => {
    const schema = { properties: { auth: { title: "Sign-in", properties: { user_name: { type: "string" } } } } };
    expect(validate(schema, { auth: { user_name: 1 } })[0]?.field).toBe("Sign-in › User name");
  });
});

describe("point 44: a value with a reference", () => {
  const schema = {
    required: ["n", "m"],
    properties: {
      n: { type: "integer", minimum: 5 },
      list: { type: "array", minItems: 2, uniqueItems: true, items: { type: "integer" } },
      m: { type: "boolean" },
    },
    additionalProperties: false,
  };
  test("is not judged by its type, and neither is what it could change", () => {
    expect(told(schema, { n: "${parameters.n}", m: "${config.m}", list: ["${item}", 1] })).toEqual([]);
  });
  test("leaves the rest judged, keys and counts too", () => {
    expect(told(schema, { n: "${parameters.n}", list: ["${item}"], other: "${item}" }).sort()).toEqual([
      "/list At least 2 items.",
      "/m This is required.",
      "/other There is no field “other”.",
    ]);
  });
});

test("P12: a new step's config has the defaults of its schema, deeper ones where they are required", () => {
  const schema = {
    required: ["kind", "inner"],
    properties: {
      a: { default: "x" },
      kind: { const: "k" },
      optional: { properties: { b: { default: 1 } } },
      inner: { properties: { c: { default: [2] } } },
    },
  };
  expect(defaultConfig(schema)).toEqual({ a: "x", kind: "k", inner: { c: [2] } });
  expect(withDefaults(schema, { a: "y", optional: {} })).toEqual({ a: "y", optional: { b: 1 } });
});

test.each([
  [30, true],
  ["90s", true],
  ["1h30m", true],
  ["1.5h", true],
  ["0", true],
  [-1, false],
  ["-5s", false],
  ["10", false],
  ["PT5M", false],
  ["", false],
])("%j as a duration: %s", (value, fits) => {
  expect(isDuration(value)).toBe(fits);
});

test.each([
  [{ type: "string" }, "text"],
  [{ type: ["string", "null"] }, "text"],
  [{ type: ["number", "string"], format: "vwmp-duration" }, "duration"],
  [{ type: "object" }, "map"],
  [{ type: "object", properties: { a: {} } }, "object"],
  [{ type: "array", items: { enum: ["a"] }, uniqueItems: true }, "choices"],
  [{ type: ["string", "integer"] }, "any"],
  [{}, "any"],
  [{ oneOf: [{ const: 1, title: "One" }] }, "enum"],
  [{ oneOf: [{ type: "string" }, { type: "object" }] }, "json"],
  [{ $ref: "#/x" }, "json"],
  [{ type: "object", patternProperties: {} }, "json"],
  [{ type: "object", propertyNames: { pattern: "^x-" } }, "json"],
  [{ type: "object", properties: { a: {} }, dependentRequired: { a: ["b"] } }, "json"],
  [{ type: "object", properties: { a: {} }, dependentSchemas: {} }, "json"],
  [{ type: "object", properties: { a: {} }, unevaluatedProperties: false }, "json"],
  [{ type: "array", contains: { const: 1 } }, "json"],
  [{ type: "array", minContains: 1 }, "json"],
  [{ type: "array", maxContains: 1 }, "json"],
  [{ type: "array", prefixItems: [] }, "json"],
  [{ type: "array", unevaluatedItems: false }, "json"],
  // How many keys there are is told below the fields, and exclusive bounds below the field.
  [{ type: "object", properties: { a: {} }, minProperties: 1, maxProperties: 1 }, "object"],
  [{ type: "number", exclusiveMinimum: 0, multipleOf: 2 }, "number"],
])("point 42: %j is edited as %s", (schema, kind) => {
  expect(kindOf(schema as JsonSchema).kind).toBe(kind);
});
