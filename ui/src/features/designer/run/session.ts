// The run that an open designer follows. What an event changes is told to
// those who show it and to nobody else: the canvas is not redrawn. No React.
import { createStore } from "zustand";
import { watchExecution } from "../../../api/live";
import { type Execution, hasEnded, type LiveEvent, type LogLine, type Progress } from "../../../api/types";
import type { StatusSource, StepStatus } from "../../graph/status";
import type { DesignerStore } from "../store";
import { type RunStep, statusAfter, stepAfter, stepsOf } from "./steps";

/** How many log lines the designer keeps; the execution's page has them all. */
const tail = 300;

export interface RunState {
  /** The followed execution; null while none is. */
  id: string | null;
  status: string;
  revision: number;
  startedAt: string | null;
  /** Seconds, once it has ended. */
  total: number | null;
  progress: Progress | null;
  /** What went wrong with the whole run. */
  error: string | null;
  /** Ids of its steps, in their order. */
  order: readonly string[];
  /** The connection is lost for now; what is missed is asked for again. */
  lost: boolean;
  /** The execution can't be followed, and why. */
  refused: string | null;
}

const nothing: RunState = {
  id: null,
  status: "pending",
  revision: 0,
  startedAt: null,
  total: null,
  progress: null,
  error: null,
  order: [],
  lost: false,
  refused: null,
};

export class RunSession implements StatusSource {
  readonly state = createStore<RunState>(() => nothing);
  /** The newest log lines. */
  readonly logs = createStore<{ lines: readonly LogLine[]; dropped: number }>(() => ({ lines: [], dropped: 0 }));

  readonly #steps = new Map<string, RunStep>();
  readonly #shown = new Map<string, StepStatus>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #store: DesignerStore;
  #connection: { close(): void } | null = null;

  constructor(store: DesignerStore) {
    this.#store = store;
  }

  /** Shows this execution from now on. */
  follow(id: string): void {
    this.#connection?.close();
    this.#clear();
    this.state.setState({ ...nothing, id }, true);
    this.#store.setState({ locked: true });
    this.#connection = watchExecution(id, {
      onSnapshot: ({ result }) => this.#begin(result),
      onEvent: (event) => this.#apply(event),
      onOpen: () => this.state.setState({ lost: false }),
      onLost: () => this.state.setState({ lost: true }),
      onEnd: (code) => {
        if (code !== 1000)
          this.state.setState({ refused: code === 4404 ? "It was deleted." : "You may not watch it." });
      },
    });
  }

  /** Shows no execution any more; it goes on by itself. */
  stop(): void {
    this.#connection?.close();
    this.#connection = null;
    this.#clear();
    this.state.setState(nothing, true);
    this.#store.setState({ locked: false });
  }

  get(id: string): StepStatus | undefined {
    return this.#shown.get(id);
  }

  /** A step with all that is known of it. */
  step(id: string): RunStep | undefined {
    return this.#steps.get(id);
  }

  subscribe(id: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  #clear(): void {
    const known = [...this.#steps.keys()];
    this.#steps.clear();
    this.#shown.clear();
    this.logs.setState({ lines: [], dropped: 0 });
    for (const id of known) this.#tell(id);
  }

  #tell(id: string): void {
    for (const listener of this.#listeners.get(id) ?? []) listener();
  }

  #put(step: RunStep): void {
    if (this.#steps.get(step.id) === step) return;
    this.#steps.set(step.id, step);
    const { status, duration, message } = step;
    const shown = this.#shown.get(step.id);
    // Progress within a step changes no card.
    if (!shown || shown.status !== status || shown.duration !== duration || shown.message !== message) {
      this.#shown.set(step.id, { status, duration, message });
    }
    this.#tell(step.id);
  }

  #begin(result: Execution): void {
    const steps = stepsOf(result);
    this.state.setState({
      status: result.status,
      revision: result.workflow_revision,
      startedAt: result.started_at ?? result.created_at,
      total: hasEnded(result.status) ? result.total_time : null,
      progress: result.progress,
      error: result.error?.message ?? result.status_reason ?? null,
      order: [...steps.keys()],
    });
    for (const step of steps.values()) this.#put(step);
  }

  #apply(event: LiveEvent): void {
    if (event.event === "step_log") {
      this.#log(event);
      return;
    }
    const step = stepAfter(this.#steps.get(event.step_id ?? ""), event);
    if (step) {
      const known = this.#steps.has(step.id);
      this.#put(step);
      if (!known) this.state.setState(({ order }) => ({ order: [...order, step.id] }));
    }
    const change: Partial<RunState> = {};
    const status = statusAfter(event);
    if (status) change.status = status;
    if (event.progress) change.progress = event.progress;
    if (event.event === "execution_started") change.startedAt = event.timestamp;
    if (event.event === "workflow_completed") {
      change.total = event.total_time ?? 0;
      change.error = event.error?.message ?? null;
    }
    if (Object.keys(change).length > 0) this.state.setState(change);
  }

  #log(event: LiveEvent): void {
    const line = event as LiveEvent & { step_id: string; level: string; message: string };
    const { lines, dropped } = this.logs.getState();
    const over = lines.length >= tail ? lines.length - tail + 1 : 0;
    this.logs.setState({ lines: [...lines.slice(over), line], dropped: dropped + over });
  }
}

const sessions = new WeakMap<DesignerStore, RunSession>();

/** The followed run of a designer; the same for the same store. */
export function runOf(store: DesignerStore): RunSession {
  let session = sessions.get(store);
  if (!session) {
    session = new RunSession(store);
    sessions.set(store, session);
  }
  return session;
}
