import { createContext, type RefObject, useContext } from "react";
import type { FieldProblem } from "./validate";
import type { Variable } from "./variables";

export interface EditOptions {
  /** Edits with the same key within a moment are one entry of the history. */
  join?: string;
}

export interface BrowseOptions {
  secretsFirst?: boolean;
  /** Where the focus goes afterwards. */
  returnTo?: RefObject<HTMLElement | null>;
}

/** What all fields of one form share. */
export interface FormContext {
  /** What a reference may name here; null where values are taken as they are. */
  variables: readonly Variable[] | null;
  /** By pointer. */
  problems: ReadonlyMap<string, readonly FieldProblem[]>;
  disabled: boolean;
  /** Opens the list of all variables; the one that is chosen is given back as ${…}. */
  browse: (onPick: (reference: string) => void, options?: BrowseOptions) => void;
  /** Words that a field with this widget suggests, such as the ids of workflows. */
  suggestions: { [widget: string]: readonly { value: string; label?: string }[] | undefined };
}

const nothing: FormContext = {
  variables: null,
  problems: new Map(),
  disabled: false,
  browse: () => undefined,
  suggestions: {},
};

export const SchemaFormContext = createContext<FormContext>(nothing);

export function useForm(): FormContext {
  return useContext(SchemaFormContext);
}

/** The first problem of exactly this place, as the text of its field. */
export function useProblem(pointer: string): string | undefined {
  return useForm().problems.get(pointer)?.[0]?.message;
}
