// How values that the server hid are shown.
import type { Definition } from "../../../api/types";

/** What the server writes in the place of a secret. */
const hidden = "***";
const dots = "••••";

// Three stars that are not part of a longer row of them.
const pattern = /(?<!\*)\*\*\*(?!\*)/g;

/** Whether a run can have secrets at all. In others three stars are what they are. */
export function usesSecrets(definition: Definition | undefined): boolean {
  if (!definition) return false;
  if (definition.parameters?.some(({ type }) => type === "secret")) return true;
  return JSON.stringify(definition).includes("${secrets.");
}

/** Writes a text with dots for what the server hid. */
export function withDots(text: string): string {
  return text.includes(hidden) ? text.replaceAll(pattern, dots) : text;
}
