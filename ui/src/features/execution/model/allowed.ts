// What may be done with a run now, by whom.
import { type Right, whyNot } from "../../../api/role";
import { type Execution, hasEnded } from "../../../api/types";
import type { Run } from "../../run/fold";

/** What the run's state lets be done, whoever asks. */
export interface Allowed {
  cancel: boolean;
  pause: boolean;
  resume: boolean;
  /** Retry and fork: a new run that keeps what this one has. */
  repeat: boolean;
  /** Also with another config or other outputs. */
  edit: boolean;
  undo: boolean;
  /** Answers, decisions and signals. */
  answer: boolean;
  delete: boolean;
}

/** Why the person may not do it, as far as that is so. */
export type Refusals = Record<keyof Allowed, string | undefined>;

const needed: Record<keyof Allowed, Right> = {
  cancel: "control",
  pause: "control",
  resume: "control",
  repeat: "control",
  edit: "edit",
  undo: "control",
  answer: "answer",
  delete: "deleteExecutions",
};

export function refusalsOf(role: string | undefined): Refusals {
  return Object.fromEntries(Object.entries(needed).map(([what, right]) => [what, whyNot(right, role)])) as Refusals;
}

export function allowedNow({ result, cancelling }: Pick<Run, "result" | "cancelling">): Allowed {
  const ended = hasEnded(result.status);
  // An undo only takes back: there is nothing in it to do again.
  const plain = result.trigger !== "undo";
  return {
    cancel: !ended,
    pause: !ended && !cancelling && result.status !== "paused",
    resume: result.status === "paused",
    repeat: ended && plain,
    edit: ended && plain,
    undo: ended && plain && didAnything(result),
    answer: !ended,
    delete: ended,
  };
}

function didAnything(result: Execution): boolean {
  return Object.values(result.step_results).some(
    ({ status, kept_from, items }) =>
      !kept_from && (status === "success" || items?.some((item) => item.status === "success")),
  );
}
