// The run that an open designer follows. What an event changes is told to
// those who show it and to nobody else: the canvas is not redrawn. No React.
import { createStore } from "zustand";
import { client, take } from "../../../api/client";
import { closeCodes, watchExecution } from "../../../api/live";
import { hasEnded, type LiveEvent, type StepResult } from "../../../api/types";
import type { StatusSource, StepStatus } from "../../graph/status";
import { fold, type Run, runOf as runOfResult, withSnapshot } from "../../run/fold";
import { type Shown, shownOf } from "../../run/shown";
import { stepNote } from "../../run/steps";
import type { DesignerStore } from "../store";

/** How many log lines the designer keeps; the execution's page has them all. */
const tail = 300;

export interface RunState {
  /** The followed execution; null while none is. */
  id: string | null;
  /** The run as far as it is known. */
  run: Run | null;
  /** The connection is lost for now; what is missed is asked for again. */
  lost: boolean;
  /** Why the execution can't be followed. */
  refused: string | null;
}

/** A line of the log's tail. */
export interface TailLine {
  seq: number;
  step_id: string;
  level: string;
  message: string;
  timestamp: string;
}

const nothing: RunState = { id: null, run: null, lost: false, refused: null };

export class RunSession implements StatusSource {
  readonly state = createStore<RunState>(() => nothing);
  /** The newest log lines. */
  readonly logs = createStore<{ lines: readonly TailLine[]; dropped: number }>(() => ({ lines: [], dropped: 0 }));

  /** How what the run says is written. The canvas shows the definition that it follows. */
  shown: Shown = shownOf(undefined);

  readonly #store: DesignerStore;
  readonly #shown = new Map<string, StepStatus>();
  readonly #listeners = new Map<string, Set<() => void>>();
  #connection: { close(): void } | null = null;

  constructor(store: DesignerStore) {
    this.#store = store;
  }

  /** Shows this execution from now on. Meanwhile nothing can be edited. */
  follow(id: string): void {
    this.#connection?.close();
    this.#forget();
    this.shown = shownOf(this.#store.getState().document);
    this.state.setState({ ...nothing, id }, true);
    this.#store.setState({ locked: true });
    this.#connection = watchExecution(id, {
      onSnapshot: ({ result, seq }) => {
        this.#show((run) => (run ? withSnapshot(run, result, seq) : runOfResult(result, seq)));
        void this.#earlier(id, seq);
      },
      onEvent: (event) => this.#take(event),
      onOpen: () => this.state.setState({ lost: false }),
      onLost: () => this.state.setState({ lost: true }),
      onEnd: (code) => {
        if (code === closeCodes.notFound) this.state.setState({ refused: "This execution is not there any more." });
        else if (code !== closeCodes.ended) this.state.setState({ refused: "You may not watch this execution." });
      },
    });
  }

  /** Shows no execution any more; it goes on by itself. */
  stop(): void {
    this.#connection?.close();
    this.#connection = null;
    this.state.setState(nothing, true);
    this.#store.setState({ locked: false });
    this.#forget();
  }

  get(id: string): StepStatus | undefined {
    return this.#shown.get(id);
  }

  subscribe(id: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  #forget(): void {
    this.logs.setState({ lines: [], dropped: 0 });
    const known = [...this.#shown.keys()];
    this.#shown.clear();
    for (const id of known) this.#tell(id);
  }

  #tell(id: string): void {
    for (const listener of this.#listeners.get(id) ?? []) listener();
  }

  #take(event: LiveEvent): void {
    if (event.event === "step_log") this.#log(event);
    this.#show((run) => (run ? fold(run, event) : run));
  }

  #show(change: (run: Run | null) => Run | null): void {
    const before = this.state.getState().run;
    const run = change(before);
    if (!run || run === before) return;
    this.state.setState({ run });
    for (const [id, step] of Object.entries(run.result.step_results)) {
      if (before?.result.step_results[id] !== step) this.#put(id, step);
    }
  }

  #put(id: string, step: StepResult): void {
    const { status } = step;
    const duration = hasEnded(status) && step.completed_at ? step.execution_time : undefined;
    const message = stepNote(step, this.shown) || undefined;
    const shown = this.#shown.get(id);
    if (shown && shown.status === status && shown.duration === duration && shown.message === message) return;
    this.#shown.set(id, { status, duration, message });
    this.#tell(id);
  }

  /** The log lines from before the snapshot. */
  async #earlier(id: string, seq: number): Promise<void> {
    const query = { after_seq: Math.max(0, seq - tail), limit: tail };
    const params = { path: { id }, query };
    const answer = await take(client.GET("/api/vwmp/executions/{id}/logs/", { params })).catch(() => null);
    // Without them the panel shows what comes; the execution's page tells of the error.
    if (!answer || typeof answer === "string" || this.state.getState().id !== id) return;
    this.logs.setState(({ lines, dropped }) => {
      const first = lines[0]?.seq ?? Number.POSITIVE_INFINITY;
      const before = answer.logs.filter((line) => line.seq < first);
      const all = [...before, ...lines];
      return { lines: all.slice(-tail), dropped: dropped + Math.max(0, all.length - tail) };
    });
  }

  #log({ seq, step_id = "", level = "info", message = "", timestamp }: LiveEvent): void {
    const { lines, dropped } = this.logs.getState();
    const over = lines.length >= tail ? lines.length - tail + 1 : 0;
    const line = { seq, step_id, level, message, timestamp };
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
