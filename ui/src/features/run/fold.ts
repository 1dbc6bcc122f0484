// Folds the events of a live run over a result, by the rules by which the
// server makes results of the same events. Pure: same run, same events, same
// outcome; an event that is older than what is shown changes nothing.
import { type Execution, hasEnded, type LiveEvent, type StepResult } from "../../api/types";

type Item = NonNullable<StepResult["items"]>[number];
type Attempt = NonNullable<StepResult["attempt_list"]>[number];
type Waiting = NonNullable<StepResult["waiting"]>;

/** How far a running step says it is. */
export interface StepProgress {
  percentage?: number;
  message?: string;
}

/** A run as far as its events are known. */
export interface Run {
  /** The number of the last event that was folded; 0 where the result came without one. */
  seq: number;
  /** The number of the last one that changed more than a log or a progress line. */
  stateSeq: number;
  result: Execution;
  /** What running steps say of themselves, by step id. */
  saying: Readonly<Record<string, StepProgress>>;
  /** When a step that failed is tried again, by step id, in milliseconds. */
  retryAt: Readonly<Record<string, number>>;
  /** Somebody asked the run to end, and it has not ended yet. */
  cancelling: boolean;
  /** The server knows more than its events tell; a fresh snapshot would show it. */
  stale: boolean;
}

/** The run that a result shows. seq is that of the snapshot it came with. */
export function runOf(result: Execution, seq = 0): Run {
  return { seq, stateSeq: seq, result, saying: {}, retryAt: {}, cancelling: false, stale: false };
}

/**
 * The newer of a run and a snapshot. A snapshot that lacks events which the
 * run has is left aside, so that nothing older is ever shown after it.
 */
export function withSnapshot(run: Run, result: Execution, seq: number): Run {
  if (seq < run.stateSeq) return run;
  const open = hasEnded(result.status) ? {} : { saying: run.saying, retryAt: run.retryAt, cancelling: run.cancelling };
  return { ...runOf(result, seq), ...open, seq: Math.max(seq, run.seq) };
}

/** A run of which some parts were copied and may be written to. */
interface Draft {
  run: Run;
  copied: Set<string>;
}

/** Folds events, which need not be new. The run itself is returned where none is. */
export function foldAll(run: Run, events: readonly LiveEvent[]): Run {
  let draft: Draft | undefined;
  for (const event of events) {
    if (event.seq <= (draft?.run ?? run).seq) continue;
    draft ??= {
      run: {
        ...run,
        result: { ...run.result, step_results: { ...run.result.step_results } },
        saying: { ...run.saying },
        retryAt: { ...run.retryAt },
      },
      copied: new Set(),
    };
    apply(draft, event);
  }
  if (!draft) return run;
  settleStatus(draft.run);
  return draft.run;
}

/** Folds one event. */
export function fold(run: Run, event: LiveEvent): Run {
  return foldAll(run, [event]);
}

function apply(draft: Draft, event: LiveEvent): void {
  const { run } = draft;
  // A number was left out: only the server can tell what it was.
  if (run.seq > 0 && event.seq > run.seq + 1) run.stale = true;
  run.seq = event.seq;
  const line = event.event === "step_log" || event.event === "step_progress";
  if (!line) run.stateSeq = event.seq;
  if (event.step_id) applyToStep(draft, event, event.step_id);
  else applyToRun(run, event);
}

function applyToRun(run: Run, event: LiveEvent): void {
  const { result } = run;
  const become = (status: string, reason = "") => {
    result.status = status;
    if (reason) result.status_reason = reason;
    else delete result.status_reason;
  };
  switch (event.event) {
    case "execution_queued":
      become("queued", event.reason);
      break;
    case "execution_started":
      result.started_at = event.timestamp;
      become("running");
      break;
    case "execution_parked":
    case "execution_paused":
      become("paused", event.reason);
      break;
    case "execution_resumed":
      // One that has not begun has the time of its making for that of its start.
      become(result.started_at === result.created_at ? "pending" : "running");
      break;
    case "execution_cancelling":
      run.cancelling = true;
      become("running", event.reason);
      break;
    case "progress":
      if (event.progress) result.progress = event.progress;
      break;
    case "workflow_completed":
      become(event.status ?? "failed", event.reason);
      result.completed_at = event.timestamp;
      result.total_time = event.total_time ?? 0;
      if (event.progress) result.progress = event.progress;
      if (event.error) result.error = event.error;
      run.cancelling = false;
      run.saying = {};
      run.retryAt = {};
  }
}

/** The step of an event, copied so that it may be written to. */
function stepOf(draft: Draft, id: string): StepResult | undefined {
  const steps = draft.run.result.step_results;
  const step = steps[id];
  if (!step) return undefined;
  if (draft.copied.has(id)) return step;
  draft.copied.add(id);
  const copy: StepResult = {
    ...step,
    ...(step.attempt_list && { attempt_list: step.attempt_list.map((attempt) => ({ ...attempt })) }),
    ...(step.items && { items: [...step.items] }),
  };
  steps[id] = copy;
  return copy;
}

function applyToStep(draft: Draft, event: LiveEvent, id: string): void {
  const { run } = draft;
  const step = stepOf(draft, id);
  if (!step) {
    run.stale = true;
    return;
  }
  switch (event.event) {
    case "step_log":
      step.log_count++;
      return;
    case "step_progress":
      run.saying = { ...run.saying, [id]: { percentage: event.percentage, message: event.message } };
      return;
  }
  if (event.item_index === undefined) applyToUnit(run, step, event);
  else applyToItem(run, step, event, event.item_index);
}

function applyToItem(run: Run, step: StepResult, event: LiveEvent, index: number): void {
  step.items ??= [];
  // How many there are is not among the events.
  if (index >= (step.item_count ?? 0)) {
    run.stale = true;
    step.item_count = index + 1;
  }
  for (let next = step.items.length; next <= index; next++)
    step.items.push({ index: next, status: "pending", attempts: 0 });
  const item = { ...step.items[index]! };
  step.items[index] = item;
  const before = item.status;
  applyToUnit(run, item, event, step);
  if (event.event === "step_started") {
    step.attempts = Math.max(step.attempts, event.attempt ?? 1);
    step.started_at ??= event.timestamp;
  }
  if (event.event === "step_undone") {
    if (step.items.every(({ status }) => status !== "success") && step.status === "success") step.status = "undone";
  } else if (before !== item.status && !hasEnded(step.status)) step.status = statusOfItems(step.items);
}

/** What a step is while its items are under way. */
function statusOfItems(items: readonly Item[]): string {
  const some = (status: string) => items.some((item) => item.status === status);
  return ["running", "retrying", "waiting", "interrupted"].find(some) ?? "running";
}

/** A step, or an item of one; of the two only steps have a list of attempts. */
type Unit = (StepResult | Item) & { attempt_list?: Attempt[] | null };

function applyToUnit(run: Run, unit: Unit, event: LiveEvent, itemOf?: StepResult): void {
  const isStep = itemOf === undefined;
  const id = event.step_id!;
  switch (event.event) {
    case "step_started":
      closeAttempt(unit, event, "interrupted");
      unit.status = "running";
      unit.attempts = event.attempt ?? unit.attempts + 1;
      unit.started_at ??= event.timestamp;
      delete unit.error;
      delete unit.waiting;
      if (isStep) {
        unit.attempt_list = [
          ...(unit.attempt_list ?? []),
          { attempt: unit.attempts, status: "running", started_at: event.timestamp, execution_time: 0 },
        ];
        forget(run, id);
      }
      return;
    case "step_retrying":
      closeAttempt(unit, event, "failed");
      unit.status = "retrying";
      unit.error = event.error;
      if (isStep)
        run.retryAt = { ...run.retryAt, [id]: new Date(event.timestamp).getTime() + (event.delay ?? 0) * 1000 };
      return;
    case "step_waiting":
      unit.status = "waiting";
      unit.waiting = waitingOf(unit, event);
      if (unit.waiting.child_execution_id) unit.child_execution_id = unit.waiting.child_execution_id;
      return;
    case "step_interrupted":
      closeAttempt(unit, event, "interrupted");
      unit.status = "interrupted";
      unit.error = event.error;
      return;
    case "step_item_completed":
    case "step_completed":
      end(run, unit, event);
      return;
    case "step_undone":
      unit.undo = { status: event.status ?? "failed", at: event.timestamp, ...(event.error && { error: event.error }) };
      if (event.status === "undone" && hasEnded(unit.status)) unit.status = "undone";
  }
}

function forget(run: Run, id: string): void {
  const { [id]: _said, ...saying } = run.saying;
  const { [id]: _at, ...retryAt } = run.retryAt;
  run.saying = saying;
  run.retryAt = retryAt;
}

/** Ends the last attempt, unless it has ended before. */
function closeAttempt(unit: Unit, event: LiveEvent, status: string): void {
  const last = unit.attempt_list?.at(-1);
  if (!last || last.completed_at) return;
  last.status = status;
  last.completed_at = event.timestamp;
  last.execution_time = secondsOf(last.started_at, event.timestamp);
  if (event.error) last.error = event.error;
}

function secondsOf(from: string, to: string): number {
  return Math.max(0, (new Date(to).getTime() - new Date(from).getTime()) / 1000);
}

interface WaitDetails {
  until?: string;
  message?: string;
  approvers?: string[];
  form?: unknown;
  plan?: unknown;
  signal?: string;
  execution_id?: string;
}

function waitingOf(unit: Unit, event: LiveEvent): Waiting {
  const { until, message, approvers, form, plan, signal, execution_id } = (event.details ?? {}) as WaitDetails;
  const waiting: Waiting = {
    reason: event.reason ?? "",
    since: unit.attempt_list?.at(-1)?.started_at ?? unit.started_at ?? event.timestamp,
  };
  if (until) waiting.until = until;
  if (message) waiting.message = message;
  if (approvers) waiting.approvers = approvers;
  if (form !== undefined) waiting.form = form;
  if (plan !== undefined) waiting.plan = plan;
  if (signal) waiting.signal = signal;
  if (execution_id) waiting.child_execution_id = execution_id;
  return waiting;
}

function end(run: Run, unit: Unit, event: LiveEvent): void {
  closeAttempt(unit, event, event.status ?? "failed");
  unit.status = event.status ?? "failed";
  unit.completed_at = event.timestamp;
  delete unit.waiting;
  delete unit.error;
  if (event.error) unit.error = event.error;
  if (event.output !== undefined) unit.output = event.output;
  if (event.skip_reason) unit.skip_reason = event.skip_reason;
  if (!("step_id" in unit)) return;
  const step = unit;
  step.execution_time = event.execution_time ?? 0;
  forget(run, step.step_id);
  if (event.kept_from) {
    step.kept_from = event.kept_from;
    // Items that are kept come without events of their own.
    if (Array.isArray(event.output)) run.stale = true;
  }
  step.items = step.items?.map((item) =>
    hasEnded(item.status) ? item : { ...item, status: "cancelled", completed_at: event.timestamp },
  );
  if (!step.items) delete step.items;
}

/**
 * Tells a run that waits for people or time alone from one that does
 * something: no event says so, it follows from the steps.
 */
function settleStatus(run: Run): void {
  const { result } = run;
  if (result.status !== "running" && result.status !== "waiting") return;
  const steps = Object.values(result.step_results);
  const busy = steps.some(
    (step) => step.status === "running" || step.status === "retrying" || waitingUnits(step).some(isChild),
  );
  const held = steps.find(({ status }) => status === "interrupted") ?? steps.find(({ status }) => status === "waiting");
  if (busy || !held || run.cancelling) {
    if (result.status === "waiting") {
      result.status = "running";
      delete result.status_reason;
    }
    return;
  }
  result.status = "waiting";
  result.status_reason = reasonOf(held);
}

function isChild({ waiting }: Unit): boolean {
  return waiting?.reason === "child";
}

/** A step that waits, or those of its items that do. */
function waitingUnits(step: StepResult): Unit[] {
  if (step.status !== "waiting") return [];
  return step.items ? step.items.filter(({ status }) => status === "waiting") : [step];
}

function reasonOf(step: StepResult): string {
  const item = step.items?.find(({ status }) => status === step.status);
  const name = `${item ? `item ${item.index} of ` : ""}step "${step.step_id}"`;
  if (step.status === "interrupted")
    return `${name} was interrupted and its outcome is unknown: decide what became of it`;
  const waiting = (item ?? step).waiting;
  switch (waiting?.reason) {
    case "approval":
      return `${name} waits for an approval`;
    case "signal":
      return `${name} waits for the signal "${waiting.signal}"`;
    case "time":
      return `${name} waits until ${waiting.until}`;
    default:
      return `${name} waits`;
  }
}
