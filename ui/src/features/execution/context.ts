import { createContext, useContext } from "react";
import type { Definition } from "../../api/types";
import type { Run } from "../run/fold";
import type { Shown } from "../run/shown";
import type { StepRow } from "../run/steps";
import type { LiveRun } from "./liveRun";
import type { Allowed, Refusals } from "./model/allowed";

/** What the parts of one run's page share. */
export interface RunPageState {
  id: string;
  live: LiveRun;
  run: Run;
  /** Missing while it is on its way, or where it can't be had. */
  definition: Definition | undefined;
  rows: readonly StepRow[];
  allowed: Allowed;
  /** Why this person may not do what the run would allow. */
  refused: Refusals;
  /** The id of the chosen step. */
  step: string | undefined;
  select(id: string | null): void;
  /** Shows the lines of one step in the log. */
  showLog(step: string): void;
  /** Opens the dialog for one of the actions on the run. */
  ask(dialog: RunDialog, step?: string): void;
  /** How what the run said is written. */
  shown: Shown;
}

export type RunDialog = "cancel" | "retry" | "fork" | "undo" | "compare" | "explain" | "delete";

export const RunPageContext = createContext<RunPageState | null>(null);

export function useRunPage(): RunPageState {
  const state = useContext(RunPageContext);
  if (!state) throw new Error("used outside the page of a run");
  return state;
}
