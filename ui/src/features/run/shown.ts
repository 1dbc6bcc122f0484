// How pages write what a run said: what the server hid stands as dots, and a
// note of one line has neither colours nor anything that drives.
import type { Definition } from "../../api/types";
import { bareText, visibleText } from "./ansi";

/** What the server writes in the place of a secret. */
const hidden = "***";
const dots = "••••";

// Three stars that are not part of a longer row of them.
const pattern = /(?<!\*)\*\*\*(?!\*)/g;

/** Whether a run can have secrets. Where nothing is known of its definition, it can. */
export function usesSecrets(definition: Definition | undefined): boolean {
  if (!definition) return true;
  if (definition.parameters?.some(({ type }) => type === "secret")) return true;
  return JSON.stringify(definition).includes("${secrets.");
}

/** Writes a text with dots for what the server hid. */
export function withDots(text: string): string {
  return text.includes(hidden) ? text.replaceAll(pattern, dots) : text;
}

/** How the texts of one run are written. */
export interface Shown {
  /** A text of any length that LogText draws. */
  text(said: string): string;
  /** A text within a value, which is shown as it is. */
  value(said: string): string;
  /** A note of one line, which stands as it is also in a title or a name. */
  note(said: string): string;
}

const secretive: Shown = {
  text: withDots,
  value: (said) => withDots(visibleText(said)),
  note: (said) => withDots(bareText(said)),
};
// Without secrets three stars are what they are.
const open: Shown = { text: (said) => said, value: visibleText, note: bareText };

/** How the texts of runs of these definitions are written; one that is not known counts as one with secrets. */
export function shownOf(...definitions: readonly (Definition | undefined)[]): Shown {
  return definitions.some(usesSecrets) ? secretive : open;
}
