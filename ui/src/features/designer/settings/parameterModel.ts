// Parameters as they are edited: the fields of each type, and what changes
// with a parameter's name and type.
import type { Definition, Json, Parameter, ParameterType } from "../../../api/types";
import { parseReferences, pathSegment } from "../../schema-form/references";
import type { JsonSchema } from "../../schema-form/schema";

export const typeNames: { [type in ParameterType]: string } = {
  string: "Text, one line",
  textarea: "Text, several lines",
  integer: "Whole number",
  number: "Number",
  boolean: "Yes or no",
  enum: "One of several",
  multi_enum: "Some of several",
  file: "File in the workspace",
  secret: "Secret",
  json: "Any value (JSON)",
};

const text: JsonSchema = { type: "string" };
const length = (noun: string): { [key: string]: JsonSchema } => ({
  min_length: { type: "integer", title: `Fewest ${noun}`, minimum: 0 },
  max_length: { type: "integer", title: `Most ${noun}`, minimum: 0 },
});
const pattern: JsonSchema = {
  ...text,
  title: "Pattern",
  description: "A regular expression that it must match (RE2).",
};

const textRules = { ...length("characters"), pattern };
const numberRules: { [key: string]: JsonSchema } = {
  min: { type: "number", title: "Least" },
  max: { type: "number", title: "Most" },
};

/** The rules that have a meaning for a type. */
const rules: { [type in ParameterType]: { [key: string]: JsonSchema } } = {
  string: textRules,
  textarea: textRules,
  file: textRules,
  secret: textRules,
  integer: numberRules,
  number: numberRules,
  multi_enum: length("choices"),
  boolean: {
    must_be: {
      title: "Must be",
      oneOf: [
        { const: true, title: "Yes, to go on" },
        { const: false, title: "No, to go on" },
      ],
    },
  },
  enum: {},
  json: {},
};

export function hasOptions(type: ParameterType): boolean {
  return type === "enum" || type === "multi_enum";
}

function defaultSchema(parameter: Parameter): JsonSchema {
  const title = "Default";
  switch (parameter.type) {
    case "integer":
    case "number":
    case "boolean":
      return { title, type: parameter.type };
    case "enum":
      return { title, enum: optionValues(parameter) };
    case "multi_enum":
      return { title, type: "array", uniqueItems: true, items: { enum: optionValues(parameter) } };
    case "textarea":
      return { title, type: "string", "x-vwmp-multiline": true };
    case "json":
      return { title, "x-vwmp-widget": "json" };
  }
  return { title, type: "string" };
}

function optionValues({ options = [] }: Parameter): Json[] {
  return options.map((option) => (typeof option === "object" ? option.value : option));
}

/** The fields of a parameter, but for its name and type. */
export function parameterSchema(parameter: Parameter): JsonSchema {
  const type = parameter.type ?? "string";
  const validation = rules[type] ?? {};
  const properties: { [key: string]: JsonSchema } = {
    label: { ...text, title: "Label", description: "What the form calls it. Empty: its name." },
    description: { ...text, title: "Description", "x-vwmp-multiline": true },
    required: { type: "boolean", title: "Required" },
  };
  if (hasOptions(type)) {
    properties.options = {
      type: "array",
      title: "Choices",
      minItems: 1,
      items: {
        type: "object",
        required: ["value"],
        properties: { value: { ...text, title: "Value" }, label: { ...text, title: "Label" } },
      },
    };
  }
  if (type !== "secret") properties.default = defaultSchema(parameter);
  if (Object.keys(validation).length > 0) {
    properties.validation = { type: "object", title: "Rules", properties: validation, additionalProperties: false };
  }
  return { type: "object", properties };
}

/** A parameter as its form shows it: every choice with a value and a label. */
export function asForm(parameter: Parameter): { [key: string]: Json } {
  const { name: _, type: __, ...rest } = parameter;
  const options = rest.options?.map((option) => (typeof option === "object" ? option : { value: option }));
  return { ...rest, ...(options && { options }) } as { [key: string]: Json };
}

/** What the form gives: choices without a label as plain values. */
export function fromForm(parameter: Parameter, form: { [key: string]: Json }): Parameter {
  const options = (form.options as { value?: Json; label?: string }[] | undefined)?.map((option) =>
    option.label ? { value: option.value ?? "", label: option.label } : (option.value ?? ""),
  );
  const next = { name: parameter.name, type: parameter.type, ...form } as Parameter;
  if (options) next.options = options as Parameter["options"];
  if (next.required === false) delete next.required;
  return next;
}

/** A parameter of another type, without what has no meaning for it. */
export function withType(parameter: Parameter, type: ParameterType): Parameter {
  const { name, label, description, required, validation = {}, options } = parameter;
  const kept = Object.fromEntries(Object.entries(validation).filter(([key]) => Object.hasOwn(rules[type], key)));
  const next: Parameter = { name, type };
  if (label) next.label = label;
  if (description) next.description = description;
  if (required) next.required = true;
  if (hasOptions(type)) next.options = options ?? ["first"];
  if (Object.keys(kept).length > 0) next.validation = kept;
  if (fits(parameter.default, type)) next.default = parameter.default;
  return next;
}

function fits(value: Json | undefined, type: ParameterType): boolean {
  if (value === undefined || type === "secret" || hasOptions(type)) return false;
  if (type === "json") return true;
  if (type === "integer" || type === "number") return typeof value === "number";
  return type === "boolean" ? typeof value === "boolean" : typeof value === "string";
}

/** Why a parameter can't have this name; null where it can. */
export function whyNotName(parameters: readonly Parameter[], at: number, name: string): string | null {
  if (name === "") return "A parameter needs a name.";
  if (!/^[A-Za-z_]\w*$/.test(name)) return "Letters, digits and underscores only, and no digit first.";
  const taken = parameters.some((other, index) => index !== at && other.name === name);
  return taken ? `Another parameter is called “${name}”.` : null;
}

/** The first free name. */
export function freshName(parameters: readonly Parameter[]): string {
  const taken = new Set(parameters.map(({ name }) => name));
  let name = "parameter";
  for (let n = 2; taken.has(name); n++) name = `parameter_${n}`;
  return name;
}

/** Renames a parameter, in references and conditions too. */
export function renameParameter(document: Definition, at: number, name: string): Definition {
  const parameters = document.parameters ?? [];
  const old = parameters[at];
  if (!old || old.name === name) return document;
  const renamed = parameters.map((parameter, index) => (index === at ? { ...parameter, name } : parameter));
  const steps = document.steps.map((step) => {
    const { when, ...rest } = step;
    const next = renameIn(rest, old.name, name);
    const condition = typeof when === "string" ? renameInCondition(when, old.name, name) : when;
    return next === rest && condition === when
      ? step
      : { ...step, ...next, ...(when !== undefined && { when: condition }) };
  });
  return { ...document, parameters: renamed, steps };
}

function renameIn<T>(value: T, from: string, to: string): T;
function renameIn(value: unknown, from: string, to: string): unknown {
  if (typeof value === "string") return renameInText(value, from, to);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => renameIn(item, from, to));
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  let changed = false;
  const members = Object.entries(value).map(([key, inner]) => {
    const next = renameIn(inner, from, to);
    changed ||= next !== inner;
    return [key, next];
  });
  return changed ? Object.fromEntries(members) : value;
}

function renameInText(text: string, from: string, to: string): string {
  const { references } = parseReferences(text);
  let result = text;
  for (const reference of references.reverse()) {
    if (reference.root !== "parameters" || reference.path[0] !== from) continue;
    const rest = reference.path.slice(1).map(pathSegment).join("");
    const fallback = /\s*\|.*\}$/s.exec(reference.text)?.[0] ?? "}";
    const next = `\${parameters${pathSegment(to)}${rest}${fallback}`;
    result = result.slice(0, reference.start) + next + result.slice(reference.end);
  }
  return result;
}

/** In a condition, outside of its texts. */
function renameInCondition(text: string, from: string, to: string): string {
  const tokens = new RegExp(`"(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*'|(?<![\\w.])parameters\\.${from}\\b`, "g");
  return text.replace(tokens, (token) => (token.startsWith("parameters.") ? `parameters.${to}` : token));
}
