// Where a run's steps are, kept outside the graph: an event then redraws the
// cards it is about and nothing else.

import { createContext, useContext, useSyncExternalStore } from "react";
import type { Change } from "../../lib/differences";

export interface StepStatus {
  /** One of the thirteen words. */
  status: string;
  /** Seconds, once it has ended. */
  duration?: number;
  /** What went wrong, or why it was skipped: shown on hover and focus. */
  message?: string;
  /** In a comparison: what became of the step. It stands in the place of the status. */
  change?: Change;
}

/** A store of statuses by step id. get gives the same object until it changes. */
export interface StatusSource {
  subscribe(id: string, listener: () => void): () => void;
  get(id: string): StepStatus | undefined;
}

export type Statuses = ReadonlyMap<string, StepStatus> | StatusSource;

/** A fixed map as a source. */
export function sourceOf(statuses: Statuses | undefined): StatusSource {
  if (statuses && "subscribe" in statuses) return statuses;
  return { subscribe: () => () => undefined, get: (id) => statuses?.get(id) };
}

export const StatusContext = createContext<StatusSource>(sourceOf(undefined));

/** The status of one step in the source around it. */
export function useStatus(id: string): StepStatus | undefined {
  const source = useContext(StatusContext);
  return useSyncExternalStore(
    (listener) => source.subscribe(id, listener),
    () => source.get(id),
  );
}
