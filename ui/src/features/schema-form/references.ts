// References: ${…} in a string. The grammar is the server's; see
// engine/workflow/reference.go.
import type { Json } from "../../api/types";
import { below } from "../../lib/pointer";

export const roots = [
  "config",
  "parameters",
  "step-outputs",
  "env",
  "adapter",
  "secrets",
  "workspace",
  "execution",
  "workflow",
  "item",
  "index",
  "trigger",
] as const;

export interface Reference {
  /** As it is written, with ${ and }. */
  text: string;
  root: string;
  /** Keys and indices after the root. */
  path: (string | number)[];
  hasDefault: boolean;
  /** Where it begins and ends in its string. */
  start: number;
  end: number;
}

/** A ${ that is no reference, with what is wrong as the end of a sentence. */
export interface Mistake {
  text: string;
  reason: string;
  start: number;
}

/** Whether a text has a ${ that is not written $${. */
export function textHasReference(text: string): boolean {
  return /(^|[^$])\$\{/.test(text);
}

/** Whether a value is a text with a reference in it. */
export function isVariable(value: unknown): value is string {
  return typeof value === "string" && textHasReference(value);
}

/** Whether a text is one reference and nothing else, so that the value keeps its type. */
export function isWholeReference(text: string): boolean {
  const { references, mistakes } = parseReferences(text);
  return mistakes.length === 0 && references[0]?.text === text;
}

/** The references of a text, and what looks like one but is none. */
export function parseReferences(text: string): { references: Reference[]; mistakes: Mistake[] } {
  const references: Reference[] = [];
  const mistakes: Mistake[] = [];
  let at = text.indexOf("${");
  while (at >= 0) {
    if (text[at - 1] === "$") {
      at = text.indexOf("${", at + 2);
      continue;
    }
    const found = parseAt(text, at);
    if ("reason" in found) mistakes.push(found);
    else references.push(found);
    at = text.indexOf("${", "reason" in found ? at + 2 : found.end);
  }
  return { references, mistakes };
}

const jsonString = /"(?:[^"\\]|\\.)*"/y;
const jsonScalar = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const name = /[\w-]+/y;
const blank = /[ \t]*/y;

/** Reads a pattern at a place: its text, or undefined. */
function read(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function parseAt(text: string, start: number): Reference | Mistake {
  const close = text.indexOf("}", start);
  const excerpt = close < 0 ? text.slice(start, start + 40) : text.slice(start, close + 1);
  const fail = (reason: string): Mistake => ({ text: excerpt, reason, start });
  let at = start + 2;
  const space = () => {
    at += read(blank, text, at)?.length ?? 0;
  };
  space();
  const root = read(name, text, at) ?? "";
  at += root.length;
  if (!(roots as readonly string[]).includes(root)) {
    return fail(root ? `begins with “${root}”, which is nothing that can be referred to` : "is empty");
  }
  const path: (string | number)[] = [];
  while (text[at] === "." || text[at] === "[") {
    const segment = readSegment(text, at);
    if (typeof segment === "string") return fail(segment);
    path.push(segment.key);
    at = segment.end;
  }
  space();
  let hasDefault = false;
  if (text[at] === "|") {
    const end = readDefault(text, at + 1);
    if (end === undefined) return fail('has a default that is not written | default "text"');
    hasDefault = true;
    at = end;
    space();
  }
  if (text[at] !== "}") return fail(at >= text.length ? "has no closing }" : `has “${text[at]}” where } is due`);
  return { text: text.slice(start, at + 1), root, path, hasDefault, start, end: at + 1 };
}

/** Reads .name, [0] or ["key"]; a text says what is wrong. */
function readSegment(text: string, at: number): { key: string | number; end: number } | string {
  if (text[at] === ".") {
    const key = read(name, text, at + 1);
    return key === undefined ? "has a dot without a name after it" : { key, end: at + 1 + key.length };
  }
  const quoted = read(jsonString, text, at + 1);
  const index = quoted ?? read(/\d+/y, text, at + 1);
  if (index === undefined) return "has brackets with neither a number nor a key in quotes";
  const end = at + 1 + index.length;
  if (text[end] !== "]") return "has a bracket that is not closed";
  try {
    return { key: quoted === undefined ? Number(index) : (JSON.parse(quoted) as string), end: end + 1 };
  } catch {
    return "has a key that is not well quoted";
  }
}

/** Reads default VALUE after a bar, and gives its end. */
function readDefault(text: string, from: number): number | undefined {
  let at = from + (read(blank, text, from)?.length ?? 0);
  if (read(name, text, at) !== "default") return undefined;
  at += "default".length;
  at += read(blank, text, at)?.length ?? 0;
  const scalar = read(jsonString, text, at) ?? read(jsonScalar, text, at);
  if (scalar !== undefined) return at + scalar.length;
  if (text[at] !== "{" && text[at] !== "[") return undefined;
  // A map or list ends where what has been read is JSON.
  for (let end = at + 2; end <= Math.min(text.length, at + 4096); end++) {
    if (text[end - 1] !== "}" && text[end - 1] !== "]") continue;
    try {
      JSON.parse(text.slice(at, end));
      return end;
    } catch {
      // It goes on.
    }
  }
  return undefined;
}

/** A text in a value with its references. */
export interface Found {
  pointer: string;
  text: string;
  references: Reference[];
  mistakes: Mistake[];
}

/** The texts of a value that hold references. */
export function referencesIn(value: unknown, pointer = ""): Found[] {
  if (typeof value === "string") {
    return textHasReference(value) ? [{ pointer, text: value, ...parseReferences(value) }] : [];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value as { [key: string]: Json }).flatMap(([key, inner]) =>
    referencesIn(inner, below(pointer, key)),
  );
}

/** A key as it is written in a path: .name, or ["another key"]. */
export function pathSegment(key: string | number): string {
  if (typeof key === "number") return `[${key}]`;
  return /^[\w-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
