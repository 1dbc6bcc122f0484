// Keeps a workflow's YAML text and its definition in step, in both
// directions. Pure. A text says its definition in the author's words (5m for
// 300, a default that is spelled out), so that neither is ever made from the
// other: each change is carried over on its own.
import { type Document, isMap, isScalar, type Node, parseDocument, stringify } from "yaml";
import type { Definition } from "../../api/types";
import { carry, isObject, sameJson } from "../../lib/json";
import { applySplices, editYaml, FormError } from "./edit";

/** Something wrong with a text, with its place. */
export interface TextProblem {
  from: number;
  to: number;
  message: string;
}

/** A text that was read. */
export interface ReadText {
  text: string;
  /** What the text says, without a key "workflow" around it; undefined where it can't be read. */
  raw: Definition | undefined;
  /** Why the designer can't show it; empty where raw is there. */
  problems: TextProblem[];
  document: Document;
  /** The node of the workflow itself. */
  root: Node | null;
}

/** Reads a YAML text. */
export function readYaml(text: string): ReadText {
  const document = parseDocument(text, { version: "1.2", schema: "core", prettyErrors: false, uniqueKeys: true });
  const problems: TextProblem[] = document.errors.map(({ message, pos }) => ({
    from: pos[0],
    to: Math.max(pos[1], pos[0]),
    message,
  }));
  const read: ReadText = { text, raw: undefined, problems, document, root: document.contents };
  if (problems.length > 0) return read;
  const whole = document.contents;
  if (isMap(whole) && whole.items.length === 1) {
    const [only] = whole.items;
    if (isScalar(only!.key) && only!.key.value === "workflow") read.root = only!.value as Node | null;
  }
  let raw: unknown;
  try {
    raw = read.root?.toJS(document);
  } catch (error) {
    problems.push({ from: 0, to: 0, message: error instanceof Error ? error.message : String(error) });
    return read;
  }
  problems.push(...misshapen(raw, read.root));
  if (problems.length === 0) read.raw = raw as Definition;
  return read;
}

/** Reads a JSON text. Its problem has the place that the engine of the browser gives, or none. */
export function readJson(text: string): { raw: Definition | undefined; problems: TextProblem[] } {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    return { raw: undefined, problems: [jsonProblem(text, error)] };
  }
  if (isObject(raw) && Object.keys(raw).length === 1 && isObject(raw.workflow)) raw = raw.workflow;
  const problems = misshapen(raw, null);
  return { raw: problems.length === 0 ? (raw as Definition) : undefined, problems };
}

// Browsers differ in whether they say where. JSON is YAML too, whose reader always does.
function jsonProblem(text: string, error: unknown): TextProblem {
  const message = error instanceof Error ? error.message : String(error);
  const place = /at position (\d+)/.exec(message)?.[1];
  const from = place ? Number(place) : (parseDocument(text, { prettyErrors: false }).errors[0]?.pos[0] ?? 0);
  return { from, to: Math.min(from + 1, text.length), message };
}

/** What the designer needs of a definition to draw it. All else is a problem that it can show. */
function misshapen(raw: unknown, root: Node | null): TextProblem[] {
  const at = (node: Node | null | undefined, message: string): TextProblem => ({
    from: node?.range?.[0] ?? 0,
    to: node?.range?.[1] ?? 0,
    message,
  });
  if (!isObject(raw)) return [at(root, "A workflow is a map with a name and steps.")];
  const node = (path: unknown[]) => (isMap(root) ? (root.getIn(path, true) as Node | undefined) : undefined);
  if (!Array.isArray(raw.steps)) return [at(node(["steps"]) ?? root, "The key “steps” must be a list of steps.")];
  const problems: TextProblem[] = [];
  const ids = new Set<string>();
  for (const [i, step] of raw.steps.entries()) {
    const of = node(["steps", i]);
    if (!isObject(step)) problems.push(at(of, `Step ${i + 1} must be a map with an id and a handler.`));
    else if (typeof step.id !== "string" || step.id === "") problems.push(at(of, `Step ${i + 1} needs an id.`));
    else if (typeof step.handler !== "string") problems.push(at(of, `Step “${step.id}” needs a handler.`));
    else if (ids.has(step.id)) problems.push(at(node(["steps", i, "id"]), `Another step has the id “${step.id}” too.`));
    else ids.add(step.id);
    if (isObject(step) && step.dependencies !== undefined && !isListOfTexts(step.dependencies)) {
      problems.push(at(node(["steps", i, "dependencies"]), "Dependencies are a list of step ids."));
    }
  }
  return problems;
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** Writes a definition as YAML for the first time. */
export function writeYaml(definition: unknown): string {
  return stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false });
}

export interface Updated {
  read: ReadText;
  /** The text had to be written anew: its comments are gone. */
  rewritten: boolean;
}

/**
 * Makes in a text the change that leads from one definition, which the text
 * says in its own words, to another. Where anchors or an unusual form forbid
 * that, the text is written anew.
 */
export function updateYaml(read: ReadText, from: Definition, to: Definition): Updated {
  if (sameJson(from, to)) return { read, rewritten: false };
  const want = read.raw === undefined ? to : (carry(read.raw, from, to) as Definition);
  const edited = read.raw === undefined ? undefined : edit(read, want);
  return edited ? { read: edited, rewritten: false } : { read: readYaml(writeYaml(want)), rewritten: true };
}

function edit(read: ReadText, want: Definition): ReadText | undefined {
  const { text, root } = read;
  if (!root) return undefined;
  const windows = text.includes("\r\n");
  if (windows && /[^\r]\n/.test(text)) return undefined;
  try {
    if (windows) {
      const plain = readYaml(text.replaceAll("\r\n", "\n"));
      const edited = edit(plain, want);
      return edited && readYaml(edited.text.replaceAll("\n", "\r\n"));
    }
    const edited = readYaml(applySplices(text, editYaml(text, read.document, root, want)));
    // Nothing is trusted before it was read again.
    return edited.raw && sameJson(edited.raw, want) ? edited : undefined;
  } catch (error) {
    if (error instanceof FormError) return undefined;
    throw error;
  }
}

/**
 * The definition after a change of its text. What the text leaves alone keeps
 * its words and its identity in the definition.
 */
export function updateDefinition(definition: Definition, from: Definition | undefined, to: Definition): Definition {
  return (from ? carry(definition, from, to) : to) as Definition;
}
