import { useEffect, useMemo } from "react";
import type { StatusSource, StepStatus } from "../../graph/status";
import type { Shown } from "../../run/shown";
import { stepNote } from "../../run/steps";
import type { LiveRun } from "../liveRun";

/** The steps of a live run as a store in which each card hears only of its own step. */
class RunStatuses implements StatusSource {
  #live: LiveRun;
  #shown: Shown;
  #kept = new Map<string, StepStatus>();
  #listeners = new Map<string, Set<() => void>>();

  constructor(live: LiveRun, shown: Shown) {
    this.#live = live;
    this.#shown = shown;
    this.#read();
  }

  /** Hears of the run until what it returns is called. */
  start(): () => void {
    this.#changed();
    return this.#live.subscribe(this.#changed);
  }

  subscribe(id: string, listener: () => void): () => void {
    const own = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, own);
    own.add(listener);
    return () => own.delete(listener);
  }

  get(id: string): StepStatus | undefined {
    return this.#kept.get(id);
  }

  #changed = (): void => {
    for (const id of this.#read()) for (const listener of this.#listeners.get(id) ?? []) listener();
  };

  /** Brings what is kept up to the run, and gives the ids of what changed. */
  #read(): string[] {
    const moved: string[] = [];
    const { result, saying } = this.#live.get();
    for (const [id, step] of Object.entries(result.step_results)) {
      const before = this.#kept.get(id);
      const duration = step.completed_at && step.started_at ? step.execution_time : undefined;
      const message = stepNote(step, this.#shown, saying[id]) || undefined;
      if (before?.status === step.status && before.duration === duration && before.message === message) continue;
      this.#kept.set(id, { status: step.status, duration, message });
      moved.push(id);
    }
    return moved;
  }
}

export function useRunStatuses(live: LiveRun, shown: Shown): StatusSource {
  const statuses = useMemo(() => new RunStatuses(live, shown), [live, shown]);
  useEffect(() => statuses.start(), [statuses]);
  return statuses;
}
