// Where the steps of the run are that the designer follows.
import type { StepStatus } from "../graph/status";

/** Where a step of the followed run is; undefined while none is followed. */
export function useStepStatus(_id: string): StepStatus | undefined {
  return undefined;
}

/** Why nothing can be edited now, and the way out of it; null while editing is free. */
export function useEditingLock(): { reason: string; release: () => void } | null {
  return null;
}
