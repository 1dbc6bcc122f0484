// An execution's parameters as a form: what each type is edited as, what it
// begins with, and the checks that the server makes too (see
// engine/workflow/parameters.go).
import type { Json, Parameter, ParameterOption } from "../../api/types";
import { didYouMean, nearest } from "../../lib/nearest";
import { below } from "../../lib/pointer";
import { count } from "../../lib/text";
import { type JsonSchema, valueText } from "../schema-form/schema";

export type Values = { [name: string]: Json };

export interface ParameterProblem {
  pointer: string;
  message: string;
}

function optionValue(option: ParameterOption): Json {
  return typeof option === "object" ? option.value : option;
}

function titled(option: ParameterOption): JsonSchema {
  const value = optionValue(option);
  return { const: value, title: (typeof option === "object" && option.label) || valueText(value) };
}

/** The schema of one parameter's field. */
function fieldSchema(parameter: Parameter): JsonSchema {
  const { type = "string", validation: rules = {}, options = [] } = parameter;
  const shared: JsonSchema = { title: parameter.label || parameter.name, description: helpOf(parameter) };
  if (parameter.default !== undefined && parameter.default !== null) shared.default = parameter.default;
  switch (type) {
    case "integer":
    case "number":
      return { ...shared, type, minimum: rules.min, maximum: rules.max };
    case "boolean":
      return { ...shared, type };
    case "enum":
      return { ...shared, oneOf: options.map(titled) };
    case "multi_enum":
      return { ...shared, type: "array", uniqueItems: true, items: { oneOf: options.map(titled) } };
    case "json":
      return { ...shared, "x-vwmp-widget": "json" };
    case "secret":
      return { ...shared, type: "string", "x-vwmp-secret": true, minLength: rules.min_length };
    case "textarea":
      return { ...shared, type: "string", "x-vwmp-multiline": true, minLength: rules.min_length };
    case "file":
      return { ...shared, type: "string", minLength: 1 };
  }
  return { ...shared, type: "string", minLength: rules.min_length };
}

function helpOf({ type, description, validation: rules = {} }: Parameter): string | undefined {
  const { min_length: min, max_length: max } = rules;
  const what = type === "multi_enum" ? "choice" : "character";
  const words = [
    description && (/[.!?]$/.test(description) ? description : `${description}.`),
    type === "file" && "A path in the workspace.",
    min !== undefined && max !== undefined && `${min} to ${count(max, what)}.`,
    min !== undefined && max === undefined && min > 1 && `At least ${count(min, what)}.`,
    max !== undefined && min === undefined && `At most ${count(max, what)}.`,
    type === "secret" && "It is masked wherever it would be shown, and not remembered.",
  ];
  return words.filter(Boolean).join(" ") || undefined;
}

/** The schema of the form of all parameters. */
export function formSchema(parameters: readonly Parameter[]): JsonSchema {
  return {
    type: "object",
    properties: Object.fromEntries(parameters.map((parameter) => [parameter.name, fieldSchema(parameter)])),
    required: parameters.filter(isDue).map(({ name }) => name),
    additionalProperties: false,
  };
}

/** Whether an execution can't start without a value: what the form marks. */
export function isDue(parameter: Parameter): boolean {
  if (parameter.type === "boolean") return parameter.validation?.must_be === true;
  return parameter.required === true && (parameter.default === undefined || parameter.default === null);
}

/** What the form begins with: the last values where they still fit, else the defaults. */
export function firstValues(parameters: readonly Parameter[], last: Values = {}): Values {
  const values: Values = {};
  for (const parameter of parameters) {
    const { name } = parameter;
    const remembered = last[name];
    if (remembered !== undefined && isKept(parameter) && check(parameter, remembered).length === 0) {
      values[name] = remembered;
    } else if (parameter.default !== undefined && parameter.default !== null && parameter.type !== "secret") {
      values[name] = parameter.default;
    }
  }
  return values;
}

/** Whether a value may be remembered: never a secret, nor a confirmation that is to be given each time. */
function isKept(parameter: Parameter): boolean {
  return parameter.type !== "secret" && parameter.validation?.must_be === undefined;
}

/** What is sent: a boolean always, as it has only two answers; of the others what has a value. */
export function sentValues(parameters: readonly Parameter[], values: Values): Values {
  const sent: Values = {};
  for (const { name, type, default: fallback } of parameters) {
    const value = values[name];
    if (value !== undefined) sent[name] = value;
    else if (type === "boolean") sent[name] = fallback ?? false;
  }
  return sent;
}

/** Every problem of the values, in the order of the parameters. */
export function checkParameters(parameters: readonly Parameter[], values: Values): ParameterProblem[] {
  const sent = sentValues(parameters, values);
  return parameters.flatMap((parameter) => {
    const value = sent[parameter.name];
    if (value !== undefined && value !== null) return check(parameter, value);
    return isDue(parameter) ? [{ pointer: below("", parameter.name), message: "This is required." }] : [];
  });
}

function check(parameter: Parameter, value: Json): ParameterProblem[] {
  const pointer = below("", parameter.name);
  const messages = messagesOf(parameter, value);
  return messages.map((message) => ({ pointer, message }));
}

function messagesOf(parameter: Parameter, value: Json): string[] {
  switch (parameter.type) {
    case "integer":
    case "number":
      return checkNumber(parameter, value);
    case "boolean":
      return checkBoolean(parameter, value);
    case "enum":
      return checkOption(parameter, value);
    case "multi_enum":
      return checkOptions(parameter, value);
    case "json":
      return [];
    case "file":
      return [...checkFile(value), ...checkText(parameter, value)].slice(0, 1);
  }
  return checkText(parameter, value);
}

function checkText({ validation: rules = {} }: Parameter, value: Json): string[] {
  if (typeof value !== "string") return ["This must be text."];
  const messages: string[] = [];
  const length = [...value].length;
  if (value.includes("\0")) messages.push("This holds a NUL character; remove it.");
  if (rules.min_length !== undefined && length < rules.min_length) {
    messages.push(`At least ${count(rules.min_length, "character")}; there ${length === 1 ? "is" : "are"} ${length}.`);
  }
  if (rules.max_length !== undefined && length > rules.max_length) {
    messages.push(`At most ${count(rules.max_length, "character")}; there are ${length}.`);
  }
  if (rules.pattern && !matchesPattern(rules.pattern, value)) messages.push(`This must match ${rules.pattern}`);
  return messages;
}

/** A pattern that only the server's expressions know is left to the server. */
function matchesPattern(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}

function checkNumber({ type, validation: rules = {} }: Parameter, value: Json): string[] {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    return [type === "integer" ? "This must be a whole number." : "This must be a number."];
  }
  const messages: string[] = [];
  if (type === "integer" && !Number.isInteger(value)) messages.push("This must be a whole number.");
  if (rules.min !== undefined && value < rules.min) messages.push(`This must be ${rules.min} or more.`);
  if (rules.max !== undefined && value > rules.max) messages.push(`This must be ${rules.max} or less.`);
  return messages;
}

function checkBoolean({ validation: rules = {} }: Parameter, value: Json): string[] {
  if (typeof value !== "boolean") return ["This must be yes or no."];
  if (rules.must_be === undefined || value === rules.must_be) return [];
  return [rules.must_be ? "Tick this to go on." : "This must not be ticked to go on."];
}

function checkOption({ options = [] }: Parameter, value: Json): string[] {
  const values = options.map(optionValue);
  if (values.some((option) => option === value)) return [];
  const words = values.map(valueText);
  return [`“${valueText(value)}” is no choice${didYouMean(nearest(valueText(value), words))}`];
}

function checkOptions(parameter: Parameter, value: Json): string[] {
  if (!Array.isArray(value)) return ["This must be a list of choices."];
  const { min_length: min, max_length: max } = parameter.validation ?? {};
  const messages = value.flatMap((item) => checkOption(parameter, item));
  if (new Set(value.map(valueText)).size < value.length) messages.push("A choice stands twice.");
  if (min !== undefined && value.length < min) messages.push(`Tick at least ${count(min, "choice")}.`);
  if (max !== undefined && value.length > max) messages.push(`Tick at most ${count(max, "choice")}.`);
  return messages;
}

function checkFile(value: Json): string[] {
  if (typeof value !== "string") return [];
  if (value === "") return ["Name a file in the workspace."];
  if (value.includes("\\") || value[1] === ":") return ["Write the path with / between its parts."];
  if (value.startsWith("/") || value.startsWith("~")) return ["The path must be relative to the workspace."];
  if (value.split("/").includes("..")) return ["The path must not lead out of a folder with .."];
  return [];
}

const storageKey = (workflowId: string) => `vwmp.last-parameters.${workflowId}`;

/** The values of the last start from this browser. */
export function recall(workflowId: string): Values {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey(workflowId)) ?? "{}");
    return typeof stored === "object" && stored !== null && !Array.isArray(stored) ? (stored as Values) : {};
  } catch {
    return {};
  }
}

/** Keeps the values of a start in this browser, without secrets. */
export function remember(workflowId: string, parameters: readonly Parameter[], values: Values): void {
  const kept = parameters.filter((parameter) => isKept(parameter) && values[parameter.name] !== undefined);
  const text = JSON.stringify(Object.fromEntries(kept.map(({ name }) => [name, values[name]])));
  try {
    // Long texts would fill the browser's store; they are seldom the same twice.
    if (text.length <= 20_000) localStorage.setItem(storageKey(workflowId), text);
  } catch {
    // They are then asked for again.
  }
}
