// Where the steps of the run are that the designer follows.
import { useMemo, useSyncExternalStore } from "react";
import { useStore } from "zustand";
import { useWhyNot } from "../../api/role";
import { hasEnded } from "../../api/types";
import type { StepStatus } from "../graph/status";
import { useDesignerStore } from "./context";
import { type RunSession, type RunState, runOf } from "./run/session";

export function useRun(): RunSession {
  return runOf(useDesignerStore());
}

/** A part of the followed run. */
export function useRunState<T>(pick: (state: RunState) => T): T {
  return useStore(useRun().state, pick);
}

/** Where a step of the followed run is; undefined while none is followed. */
export function useStepStatus(id: string): StepStatus | undefined {
  const run = useRun();
  return useSyncExternalStore(
    (listener) => run.subscribe(id, listener),
    () => run.get(id),
  );
}

export interface EditingLock {
  reason: string;
  /** The way out; missing where there is none, for want of a right. */
  release?: () => void;
}

/** Why nothing can be edited now; null while editing is free. */
export function useEditingLock(): EditingLock | null {
  const run = useRun();
  const mayNot = useWhyNot("edit");
  const follows = useRunState((state) => state.id !== null);
  const ended = useRunState((state) => state.run !== null && hasEnded(state.run.result.status));
  return useMemo(() => {
    if (mayNot) return { reason: `You can look at it, and change nothing. ${mayNot}` };
    if (!follows) return null;
    const reason = ended
      ? "The canvas shows an execution that has ended. Stop following it to edit."
      : "The canvas follows an execution. Stop following to edit; it goes on by itself.";
    return { reason, release: () => run.stop() };
  }, [follows, ended, run, mayNot]);
}
