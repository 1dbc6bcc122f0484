// Renames steps in what refers to them: ${step-outputs.ID…} in texts, and
// steps.ID or steps["ID"] in conditions. The grammar is that of
// engine/workflow/reference.go and of the expr language.
import type { Definition, Json, StepDefinition } from "../../../api/types";

/** New ids by old ones. */
export type Renames = ReadonlyMap<string, string>;

const output = /\$\{[ \t]*step-outputs(?:\.([A-Za-z0-9_-]+)|\[("(?:[^"\\]|\\.)*")\])/y;

function unquote(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}

/** A text with its references renamed; the same text where none is concerned. */
export function renameInText(text: string, renames: Renames): string {
  let result = "";
  let copied = 0;
  for (let at = text.indexOf("${"); at >= 0; at = text.indexOf("${", at + 2)) {
    if (text[at - 1] === "$") continue;
    output.lastIndex = at;
    const [whole, plain, quoted] = output.exec(text) ?? [];
    if (whole === undefined) continue;
    const renamed = renames.get(plain ?? unquote(quoted!) ?? "");
    if (renamed === undefined) continue;
    const end = at + whole.length;
    const id = plain ?? quoted!;
    const idAt = plain !== undefined ? end - id.length : end - id.length - 1;
    result += text.slice(copied, idAt) + (plain !== undefined ? renamed : JSON.stringify(renamed));
    copied = idAt + id.length;
  }
  return copied === 0 ? text : result + text.slice(copied);
}

/** A value with the references in all its texts renamed; the same value where none is concerned. */
export function renameInValue<T>(value: T, renames: Renames): T;
export function renameInValue(value: unknown, renames: Renames): unknown {
  if (typeof value === "string") return renameInText(value, renames);
  if (Array.isArray(value)) {
    const items = value.map((item) => renameInValue(item, renames));
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  if (typeof value !== "object" || value === null) return value;
  let changed = false;
  const object: { [key: string]: unknown } = {};
  for (const [key, each] of Object.entries(value)) {
    object[key] = renameInValue(each, renames);
    changed ||= object[key] !== each;
  }
  return changed ? object : value;
}

// Strings and comments are passed over whole; what is left of a condition are words and signs.
const token =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*|[A-Za-z_$][A-Za-z0-9_$]*|\s+|\?\.|./g;
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;
const expressionWords = new Set([
  "in",
  "not",
  "and",
  "or",
  "matches",
  "contains",
  "startsWith",
  "endsWith",
  "let",
  "nil",
  "true",
  "false",
]);

function literal(text: string): string | undefined {
  if (text.startsWith('"')) return unquote(text);
  if (text.startsWith("'")) return unquote(`"${text.slice(1, -1).replace(/\\'/g, "'").replace(/"/g, '\\"')}"`);
  return text.startsWith("`") ? text.slice(1, -1) : undefined;
}

/** A condition with its steps renamed; the same text where none is concerned. */
export function renameInExpression(expression: string, renames: Renames): string {
  const tokens = expression.match(token) ?? [];
  const solid = tokens.flatMap((text, i) => (/^(\s|\/\*|\/\/)/.test(text) ? [] : [i]));
  let changed = false;
  solid.forEach((at, n) => {
    const word = (offset: number) => tokens[solid[n + offset] ?? -1] ?? "";
    if (tokens[at] !== "steps" || word(-1) === "." || word(-1) === "?.") return;
    const dot = word(1);
    if ((dot === "." || dot === "?.") && word(2) !== "[") {
      const renamed = renames.get(word(2));
      if (renamed === undefined) return;
      changed = true;
      if (identifier.test(renamed) && !expressionWords.has(renamed)) {
        tokens[solid[n + 2]!] = renamed;
        return;
      }
      tokens[solid[n + 1]!] = dot === "." ? "" : "?.";
      tokens[solid[n + 2]!] = `[${JSON.stringify(renamed)}]`;
      return;
    }
    const bracket = dot === "?." ? 2 : 1;
    const id = literal(word(bracket + 1));
    if (word(bracket) !== "[" || word(bracket + 2) !== "]" || id === undefined) return;
    const renamed = renames.get(id);
    if (renamed === undefined) return;
    changed = true;
    tokens[solid[n + bracket + 1]!] = JSON.stringify(renamed);
  });
  return changed ? tokens.join("") : expression;
}

/** A step with what it says of others renamed; its own id stays. */
export function renameInStep(step: StepDefinition, renames: Renames): StepDefinition {
  const after: StepDefinition = { ...step };
  if (step.dependencies?.some((id) => renames.has(id))) {
    after.dependencies = step.dependencies.map((id) => renames.get(id) ?? id);
  }
  if (step.config !== undefined) after.config = renameInValue(step.config, renames);
  if (typeof step.enabled === "string") after.enabled = renameInText(step.enabled, renames);
  if (step.for_each !== undefined) after.for_each = renameInValue<string | Json[]>(step.for_each, renames);
  if (typeof step.when === "string") after.when = renameInExpression(step.when, renames);
  const same = Object.keys(after).every((key) => after[key] === step[key]);
  return same ? step : after;
}

/** A definition with all that refers to steps renamed; the steps' own ids stay. */
export function renameReferences(definition: Definition, renames: Renames): Definition {
  const steps = definition.steps.map((step) => renameInStep(step, renames));
  const key = definition.concurrency?.key;
  const renamedKey = key === undefined ? undefined : renameInText(key, renames);
  return {
    ...definition,
    steps: steps.some((step, i) => step !== definition.steps[i]) ? steps : definition.steps,
    ...(renamedKey !== key && { concurrency: { ...definition.concurrency, key: renamedKey } }),
  };
}
