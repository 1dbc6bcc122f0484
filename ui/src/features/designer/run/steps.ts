// Where the steps of a run are, folded from its events. Pure.
import type { Execution, LiveEvent, StepResult } from "../../../api/types";

/** A step of the followed run. */
export interface RunStep {
  id: string;
  name: string;
  /** One of the thirteen words. */
  status: string;
  /** Seconds, once it has ended. */
  duration?: number;
  /** When the running attempt began. */
  startedAt?: string;
  /** What went wrong, why it was skipped, or what it waits for. */
  message?: string;
  /** How far it says it is, 0 to 100. */
  percentage?: number;
}

const waits: Record<string, string> = {
  approval: "Waits for an approval",
  time: "Waits for a time",
  signal: "Waits for a signal",
  child: "Waits for another workflow",
  slot: "Waits for a free place",
  plugin: "Waits for its plugin",
};

/** A step as a result tells of it. */
export function stepOf(result: StepResult): RunStep {
  const { step_id: id, step_name: name, status } = result;
  const step: RunStep = { id, name: name || id, status };
  if (result.started_at) step.startedAt = result.started_at;
  if (result.completed_at) step.duration = result.execution_time;
  const message = result.error?.message || result.skip_reason || (result.waiting && waits[result.waiting.reason]);
  if (message) step.message = message;
  return step;
}

/** The steps of a result, in its order. */
export function stepsOf(result: Execution): Map<string, RunStep> {
  return new Map(Object.values(result.step_results).map((each) => [each.step_id, stepOf(each)]));
}

/** The step after an event; the same object where nothing of it changes, undefined where the event is about none. */
export function stepAfter(step: RunStep | undefined, event: LiveEvent): RunStep | undefined {
  if (!event.step_id) return undefined;
  const now = step ?? { id: event.step_id, name: event.step_name || event.step_id, status: "pending" };
  const { id, name } = now;
  switch (event.event) {
    case "step_started":
      // Items of a for_each start one by one; the step began with the first.
      if (event.item_index !== undefined && now.status === "running") return now;
      return { id, name: event.step_name || name, status: "running", startedAt: event.timestamp };
    case "step_progress":
      return { ...now, percentage: event.percentage, message: event.message || now.message };
    case "step_retrying":
      if (event.item_index !== undefined) return now;
      return { ...now, status: "retrying", message: event.error?.message, percentage: undefined };
    case "step_waiting":
      return { ...now, status: "waiting", message: waits[event.reason ?? ""] ?? "Waits" };
    case "step_interrupted":
      return {
        ...now,
        status: "interrupted",
        message: event.error?.message || "Its outcome is unknown; somebody must decide",
      };
    case "step_undone":
      return { ...now, status: "undone", message: undefined };
    case "step_completed":
      return {
        id,
        name: event.step_name || name,
        status: event.status ?? "success",
        duration: event.execution_time,
        message: event.error?.message || event.skip_reason,
      };
    default:
      return now;
  }
}

/** The status of the run after an event; undefined where it stays. */
export function statusAfter(event: LiveEvent): string | undefined {
  switch (event.event) {
    case "execution_started":
    case "execution_resumed":
      return "running";
    case "execution_queued":
      return "queued";
    case "execution_paused":
    case "execution_parked":
      return "paused";
    case "workflow_completed":
      return event.status;
    default:
      return undefined;
  }
}
