// What a reference may name at one place of a workflow: the list behind the
// suggestions, and the reasons why a reference leads to nothing.
import type { Definition, HandlerSummary, Json, StepDefinition } from "../../api/types";
import { upstreamOf } from "../graph/order";
import { pathSegment } from "./references";
import { asSchema, type JsonSchema, typesOf } from "./schema";

export interface Variable {
  /** What stands between ${ and }. */
  path: string;
  type: string;
  description: string;
  group: string;
  secret?: boolean;
}

/** Where a text stands, which decides what it may name. */
export type VariablePlace = "config" | "enabled" | "for_each" | "concurrency" | "trigger";

interface ScopeOptions {
  document: Definition;
  /** The step that the text belongs to; null outside of one. */
  stepId: string | null;
  place: VariablePlace;
  /** The type of the trigger that the text belongs to. */
  trigger?: string;
  handlers: ReadonlyMap<string, Pick<HandlerSummary, "name" | "output_schema">>;
  /** Names of stored secrets; empty where the role may not know them. */
  secrets?: readonly string[];
}

/** How deep values and schemas are listed, and how many entries one of them may give. */
const maxDepth = 4;
const maxEntries = 200;

/** What may be named, nearest and most used first. */
export function variablesFor(options: ScopeOptions): Variable[] {
  const { document, stepId, place, secrets = [] } = options;
  const step = stepId === null ? undefined : document.steps.find(({ id }) => id === stepId);
  const variables: Variable[] = [];
  if (place === "trigger") {
    return [...triggerVariables(options.trigger ?? ""), ...configVariables(document), ...workflowVariables];
  }
  if (place === "config" && step?.for_each !== undefined) variables.push(...itemVariables(step));
  variables.push(...parameterVariables(document, place === "config"));
  if (step) variables.push(...outputVariables(options, step.id));
  variables.push(...configVariables(document), ...runVariables, ...workflowVariables);
  if (place === "config") {
    variables.push(
      ...secrets.map((name) => ({
        path: `secrets.${name}`,
        type: "secret",
        description: "A stored secret. Its value is shown nowhere.",
        group: "Secrets",
        secret: true,
      })),
    );
  }
  return variables;
}

const workflowVariables: Variable[] = [
  { path: "workflow.name", type: "text", description: "The workflow's name.", group: "Run" },
  { path: "workflow.id", type: "text", description: "The workflow's id.", group: "Run" },
  { path: "workflow.version", type: "text", description: "The workflow's version.", group: "Run" },
];

const runVariables: Variable[] = [
  { path: "workspace.name", type: "text", description: "The workspace that the execution works in.", group: "Run" },
  { path: "execution.id", type: "text", description: "The execution's id.", group: "Run" },
  { path: "execution.started_at", type: "date and time", description: "When the execution started.", group: "Run" },
];

/** By the trigger's type, what it tells of a firing; see docs/triggers.md. */
const firedBy: { [type: string]: [name: string, type: string, description: string][] } = {
  schedule: [["due", "date and time", "When it was due."]],
  webhook: [
    ["body", "any", "What was sent: JSON, a form or text."],
    ["headers", "map", "The headers, by names in lower case."],
    ["query", "map", "What stands after the ? of the address."],
  ],
  workflow: [
    ["execution_id", "text", "The execution that ended."],
    ["status", "text", "How it ended."],
    ["workflow.id", "text", "The id of the workflow that ended."],
    ["workflow.name", "text", "The name of the workflow that ended."],
  ],
  file: [
    ["files", "list", "All files that changed."],
    ["added", "list", "Files that are new."],
    ["modified", "list", "Files with another content."],
    ["removed", "list", "Files that are gone."],
    ["count", "whole number", "How many files changed."],
  ],
};

function triggerVariables(type: string): Variable[] {
  return (firedBy[type] ?? []).map(([name, kind, description]) => ({
    path: `trigger.${name}`,
    type: kind,
    description,
    group: "Trigger",
  }));
}

function itemVariables(step: StepDefinition): Variable[] {
  const group = "This item";
  const items: Variable[] = [
    { path: "item", type: "any", description: "The item that this run of the step is for.", group },
    { path: "index", type: "whole number", description: "The item's number, from 0.", group },
  ];
  const first = Array.isArray(step.for_each) ? step.for_each[0] : undefined;
  if (first && typeof first === "object" && !Array.isArray(first)) {
    for (const [key, value] of Object.entries(first)) {
      items.push({
        path: `item${pathSegment(key)}`,
        type: typeOfValue(value),
        description: "Of the list's first item.",
        group,
      });
    }
  }
  return items;
}

const parameterTypes: { [type: string]: string } = {
  string: "text",
  textarea: "text",
  integer: "whole number",
  number: "number",
  boolean: "yes or no",
  enum: "choice",
  multi_enum: "list of choices",
  file: "file",
  secret: "secret",
  json: "any",
};

function parameterVariables(document: Definition, secretsAllowed: boolean): Variable[] {
  return (document.parameters ?? [])
    .filter(({ name, type }) => name && (secretsAllowed || type !== "secret"))
    .map((parameter) => ({
      path: `parameters${pathSegment(parameter.name)}`,
      type: parameterTypes[parameter.type ?? "string"] ?? "any",
      description: [parameter.label, parameter.description].filter(Boolean).join(". "),
      group: "Parameters",
      secret: parameter.type === "secret",
    }));
}

function outputVariables({ document, handlers }: ScopeOptions, stepId: string): Variable[] {
  const variables: Variable[] = [];
  for (const id of upstreamOf(document.steps, stepId)) {
    const step = document.steps.find((other) => other.id === id)!;
    const handler = handlers.get(step.handler);
    const group = `Step ${step.name || handler?.name || id}`;
    const schema = asSchema(handler?.output_schema);
    const path = `step-outputs${pathSegment(id)}`;
    if (step.for_each === undefined) fromSchema(schema, path, group, variables, 0);
    variables.push({
      path,
      type: step.for_each === undefined ? "map" : "list",
      description: step.for_each === undefined ? "The whole output." : "The outputs, one for each item.",
      group,
    });
    if (step.for_each !== undefined) fromSchema(schema, `${path}[0]`, group, variables, 0);
  }
  return variables;
}

function fromSchema(schema: JsonSchema, path: string, group: string, into: Variable[], depth: number): void {
  if (depth >= maxDepth || into.length > maxEntries * 10) return;
  for (const [key, value] of Object.entries(schema.properties ?? {}).slice(0, maxEntries)) {
    const property = asSchema(value);
    const here = `${path}${pathSegment(key)}`;
    into.push({ path: here, type: typeOfSchema(property), description: property.description ?? "", group });
    fromSchema(property, here, group, into, depth + 1);
    if (property.items) fromSchema(asSchema(property.items), `${here}[0]`, group, into, depth + 1);
  }
}

const schemaTypes: { [type: string]: string } = {
  string: "text",
  number: "number",
  integer: "whole number",
  boolean: "yes or no",
  array: "list",
  object: "map",
};

/** A schema's type in words. */
export function typeOfSchema(schema: JsonSchema): string {
  if (schema.format === "vwmp-duration") return "duration";
  const types = typesOf(schema);
  return types.length > 0 ? types.map((type) => schemaTypes[type] ?? type).join(" or ") : "any";
}

function typeOfValue(value: Json): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "list";
  switch (typeof value) {
    case "object":
      return "map";
    case "number":
      return "number";
    case "boolean":
      return "yes or no";
  }
  return "text";
}

function configVariables(document: Definition): Variable[] {
  const variables: Variable[] = [];
  fromValue(document.config ?? {}, "config", variables, 0);
  return variables;
}

function fromValue(value: { [key: string]: Json }, path: string, into: Variable[], depth: number): void {
  for (const [key, inner] of Object.entries(value).slice(0, maxEntries)) {
    const here = `${path}${pathSegment(key)}`;
    const isMap = typeof inner === "object" && inner !== null && !Array.isArray(inner);
    const shown = JSON.stringify(inner);
    into.push({
      path: here,
      type: typeOfValue(inner),
      description: isMap ? "" : `Now ${shown.length > 80 ? `${shown.slice(0, 79)}…` : shown}.`,
      group: "Workflow config",
    });
    if (isMap && depth < maxDepth) fromValue(inner, here, into, depth + 1);
  }
}

/** The variables that fit what was typed after ${, best first. */
export function matching(variables: readonly Variable[], query: string, limit = 60): Variable[] {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return variables.slice(0, limit);
  const ranked: { variable: Variable; rank: number }[] = [];
  for (const variable of variables) {
    const path = variable.path.toLowerCase();
    const at = path.indexOf(wanted);
    if (at < 0) continue;
    const rank = at === 0 ? 0 : /[.[]/.test(path[at - 1]!) ? 1 : 2;
    ranked.push({ variable, rank });
  }
  ranked.sort((a, b) => a.rank - b.rank);
  return ranked.slice(0, limit).map(({ variable }) => variable);
}
