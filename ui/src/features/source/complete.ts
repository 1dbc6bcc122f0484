// What the editor offers while somebody types: keys of the language and of a
// handler's config, step types, ids of steps, and variables.
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { Definition, HandlerSummary } from "../../api/types";
import { asSchema, type JsonSchema } from "../schema-form/schema";
import { typeOfSchema, type VariablePlace, variablesFor } from "../schema-form/variables";
import { type Where, whereIs } from "./context";
import { keysAt } from "./language";

export interface Known {
  document: Definition;
  handlers: ReadonlyMap<string, HandlerSummary>;
  types: readonly { name: string; description: string }[];
}

/** The completions at a place of a YAML text. */
export function completeYaml(known: () => Known) {
  return ({ state, pos, explicit }: CompletionContext): CompletionResult | null => {
    const line = state.doc.lineAt(pos);
    const typed = line.text.slice(0, pos - line.from);
    const where = whereIs(state.doc.toString(), pos);
    const variables = variableResult(typed, pos, where, known());
    if (variables) return variables;
    if (!where) return null;
    const word = /[\w.-]*$/.exec(typed)![0];
    if (!explicit && word === "" && where.kind !== "value") return null;
    const options = optionsFor(where, known());
    return options.length > 0 ? { from: pos - word.length, options, validFor: /^[\w.-]*$/ } : null;
  };
}

/** The completions in a JSON text: step types and variables. */
export function completeJson(known: () => Known) {
  return ({ state, pos }: CompletionContext): CompletionResult | null => {
    const line = state.doc.lineAt(pos);
    const typed = line.text.slice(0, pos - line.from);
    const variables = variableResult(typed, pos, null, known());
    if (variables) return variables;
    const handler = /"handler"\s*:\s*"([\w.-]*)$/.exec(typed);
    if (!handler) return null;
    return { from: pos - handler[1]!.length, options: handlerOptions(known()), validFor: /^[\w.-]*$/ };
  };
}

function variableResult(typed: string, pos: number, where: Where | null, known: Known): CompletionResult | null {
  const open = /\$\{([^}\s]*)$/.exec(typed);
  if (!open) return null;
  const { document, handlers } = known;
  const stepId = where?.step?.id ?? null;
  const variables = variablesFor({ document, stepId, place: variablePlace(where), handlers });
  const options = variables.map(
    ({ path, type, description, group }): Completion => ({
      label: path,
      detail: type,
      info: description || undefined,
      type: "variable",
      section: group,
      apply: (view, _, from, to) => {
        const closed = view.state.sliceDoc(to, to + 1) === "}";
        const insert = closed ? path : `${path}}`;
        view.dispatch({
          changes: { from, to, insert },
          selection: { anchor: from + path.length + 1 },
          userEvent: "input.complete",
        });
      },
    }),
  );
  return { from: pos - open[1]!.length, options, validFor: /^[^}\s]*$/ };
}

function variablePlace(where: Where | null): VariablePlace {
  if (where?.place.startsWith("triggers")) return "trigger";
  if (where?.place === "concurrency") return "concurrency";
  if (where?.key === "enabled" || where?.key === "for_each") return where.key;
  return "config";
}

export function optionsFor(where: Where, known: Known): Completion[] {
  const { place, kind } = where;
  if (kind === "value") return valueOptions(where, known);
  if (place === "steps.*.dependencies.*") return stepOptions(where, known);
  const options = keysAt(place).map(({ name, info, kind: of }) => keyOption(name, info, of));
  if (place.startsWith("steps.*.config")) options.push(...configOptions(where, known));
  return options.filter(({ label }) => !where.siblings.has(label));
}

function keyOption(name: string, info: string, kind: string | undefined): Completion {
  // A value that follows stands behind a blank; one of lines begins below.
  return { label: name, info, type: "property", apply: kind ? `${name}:` : `${name}: ` };
}

function valueOptions({ place, key, step }: Where, known: Known): Completion[] {
  if (place === "steps.*" && key === "handler") return handlerOptions(known);
  if (place === "" && key === "type")
    return known.types.map(({ name, description }) => ({ label: name, info: description }));
  if (place === "steps.*" && key === "dependencies") return stepOptions({ step } as Where, known);
  const words = keysAt(place).find(({ name }) => name === key)?.values;
  if (words) return words.map((label) => ({ label, type: "enum" }));
  if (!place.startsWith("steps.*.config")) return [];
  const property = configSchema(place, step?.handler, known)?.properties?.[key];
  return wordsOf(asSchema(property)).map((label) => ({ label, type: "enum" }));
}

function handlerOptions({ handlers }: Known): Completion[] {
  return [...handlers.values()].map(({ path, name, description, category }) => ({
    label: path,
    detail: name,
    info: description,
    section: category,
    type: "function",
  }));
}

function stepOptions({ step }: Pick<Where, "step">, { document }: Known): Completion[] {
  return document.steps
    .filter(({ id }) => id !== step?.id)
    .map(({ id, name }) => ({ label: id, detail: name, type: "constant" }));
}

function configOptions({ place, step }: Where, known: Known): Completion[] {
  const schema = configSchema(place, step?.handler, known);
  const required = new Set(schema?.required ?? []);
  return Object.entries(schema?.properties ?? {}).map(([name, value]) => {
    const property = asSchema(value);
    const kind = property.type === "object" || property.type === "array" ? "map" : undefined;
    const info = [property.title, property.description].filter(Boolean).join(". ");
    const detail = required.has(name) ? `${typeOfSchema(property)}, required` : typeOfSchema(property);
    return { ...keyOption(name, info, kind), detail, boost: required.has(name) ? 1 : 0 };
  });
}

/** The schema of the map at a place below a step's config. */
function configSchema(place: string, handler: string | undefined, { handlers }: Known): JsonSchema | undefined {
  let schema: JsonSchema | undefined = asSchema(handlers.get(handler ?? "")?.config_schema);
  for (const part of place.split(".").slice(3)) {
    schema = part === "*" ? asSchema(schema?.items) : asSchema(schema?.properties?.[part]);
  }
  return schema;
}

function wordsOf(schema: JsonSchema): string[] {
  if (schema.type === "boolean") return ["true", "false"];
  const words = schema.enum ?? schema.oneOf?.map((choice) => choice.const) ?? [];
  return words.filter((word): word is string => typeof word === "string");
}
