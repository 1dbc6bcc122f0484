// Reads a file that is to become a workflow, and asks the server what it
// thinks of it. Nothing is kept anywhere.

import type { ProblemItem } from "../../../api/client";
import { send } from "../../../api/client";
import type { Definition, Validation } from "../../../api/types";
import { readJson, readYaml, writeYaml } from "../../source/sync";

/** The largest file that the server takes, in bytes. */
export const largest = { yaml: 256 * 1024, json: 2 * 1024 * 1024 } as const;

export interface Read {
  /** Undefined where it can't be opened in the designer. */
  document?: Definition;
  /** The YAML text that a new workflow starts with. */
  text?: string;
  errors: ProblemItem[];
  warnings: ProblemItem[];
}

/** The metadata that an exported or a downloaded workflow may carry are no part of its definition. */
const metadata = [
  "id",
  "step_count",
  "revision",
  "created_at",
  "updated_at",
  "last_executed",
  "last_status",
  "execution_count",
  "valid",
  "problems",
];

function withoutMetadata(document: Definition): Definition {
  return Object.fromEntries(Object.entries(document).filter(([key]) => !metadata.includes(key))) as Definition;
}

export function isJson(text: string): boolean {
  return /^\s*[{[]/.test(text);
}

function placeOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** Reads YAML or JSON, and has the server find every problem. Rejects where the server can't be asked. */
export async function readFile(text: string): Promise<Read> {
  const format = isJson(text) ? "json" : "yaml";
  const size = new Blob([text]).size;
  if (size > largest[format]) {
    const message = `The text has ${Math.ceil(size / 1024)} KiB; at most ${largest[format] / 1024} KiB are taken as ${format.toUpperCase()}.`;
    return { errors: [{ code: "too_large", message, pointer: "" }], warnings: [] };
  }
  const { raw, problems } = format === "json" ? readJson(text) : readYaml(text);
  const own = problems.map(({ from, message }) => ({
    code: "unreadable",
    message,
    pointer: "",
    ...placeOf(text, from),
  }));
  const answer = await send("/api/vwmp/workflows/validate/", {
    method: "POST",
    body: text,
    headers: { "Content-Type": `application/${format}` },
  });
  const { errors, warnings } = (await answer.json()) as Validation;
  if (!raw) return { errors: errors.length > 0 ? errors : own, warnings };
  const document = withoutMetadata(raw);
  const asText = format === "yaml" && Object.keys(document).length === Object.keys(raw).length ? text : undefined;
  return { document, text: asText ?? writeYaml(document), errors, warnings };
}
