// What may be done with a run now, by whom.
import { includes, type Role } from "../../../api/role";
import { type Execution, hasEnded } from "../../../api/types";
import type { Run } from "../../run/fold";

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

export function allowedNow({ result, cancelling }: Pick<Run, "result" | "cancelling">, role = ""): Allowed {
  const may = (needed: Role) => includes(role, needed);
  const ended = hasEnded(result.status);
  const executor = may("executor");
  // An undo only takes back: there is nothing in it to do again.
  const plain = result.trigger !== "undo";
  return {
    cancel: executor && !ended,
    pause: executor && !ended && !cancelling && result.status !== "paused",
    resume: executor && result.status === "paused",
    repeat: executor && ended && plain,
    edit: may("editor") && ended && plain,
    undo: executor && ended && plain && didAnything(result),
    answer: executor && !ended,
    delete: may("admin") && ended,
  };
}

function didAnything(result: Execution): boolean {
  return Object.values(result.step_results).some(
    ({ status, kept_from, items }) =>
      !kept_from && (status === "success" || items?.some((item) => item.status === "success")),
  );
}
