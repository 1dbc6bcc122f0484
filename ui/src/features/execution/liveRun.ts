// One run as its page follows it: the result with every event folded in, and
// its log. Events are gathered and shown once per frame, however many come.
import { useEffect, useState, useSyncExternalStore } from "react";
import { events as allEvents, type Connection, closeCodes, fetchSnapshot, watchExecution } from "../../api/live";
import { readLogs } from "../../api/queries";
import { type Execution, hasEnded, type LiveEvent } from "../../api/types";
import { foldAll, type Run, runOf, withSnapshot } from "../run/fold";
import { LogBook, maxLines } from "./model/logs";

/** A hidden page has no frames; then events are shown this often, in milliseconds. */
const hiddenPace = 1000;
/** The least time between two questions for a snapshot, in milliseconds. */
const resyncPace = 1000;
/** The wait before a page of the log is asked for again, in milliseconds. */
const logPace = 2000;

export class LiveRun {
  readonly logs = new LogBook();
  #run: Run;
  readonly #id: string;
  #listeners = new Set<() => void>();
  #queue: LiveEvent[] = [];
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #resync: ReturnType<typeof setTimeout> | undefined;
  #watch: Connection | undefined;
  #signedOut = false;
  #refusal = "";
  #stop = new AbortController();

  constructor(result: Execution) {
    this.#id = result.execution_id;
    this.#run = runOf(result);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get = (): Run => this.#run;

  /** Why it is not followed any more though it lives; empty while it is. */
  refusal = (): string => this.#refusal;

  /** Begins to follow; what it returns ends that. */
  start(): () => void {
    this.#stop = new AbortController();
    if (hasEnded(this.#run.result.status)) void this.#readLogs();
    else this.#follow();
    const again = allEvents.subscribe(() => {
      if (!this.#signedOut || allEvents.state !== "open") return;
      this.#signedOut = false;
      this.#follow();
    });
    return () => {
      again();
      this.#stop.abort();
      this.#watch?.close();
      this.#watch = undefined;
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#timer);
      clearTimeout(this.#resync);
      this.#frame = 0;
      this.#timer = undefined;
      this.#resync = undefined;
    };
  }

  /** Takes a result that was asked for. One of a live run is left to the socket, which knows its number. */
  accept(result: Execution): void {
    if (!hasEnded(result.status)) return;
    this.#set(withSnapshot(this.#run, result, Math.max(this.#run.stateSeq, this.#run.seq)));
  }

  #follow(): void {
    const { seq } = this.#run;
    if (seq > 0 && this.logs.state() !== "ready") void this.#readLogs();
    this.#watch = watchExecution(this.#id, {
      afterSeq: seq > 0 ? seq : undefined,
      onSnapshot: ({ result, seq: at }) => {
        this.#flush();
        this.logs.meetAt(at);
        this.#set(withSnapshot(this.#run, result, at));
        void this.#readLogs();
      },
      onEvent: (event) => {
        this.#queue.push(event);
        this.#schedule();
      },
      onEnd: (code) => {
        this.#flush();
        if (code === closeCodes.signedOut) this.#signedOut = true;
        if (code === closeCodes.ended) this.#askAgain(0);
        if (code === closeCodes.notAllowed || code === closeCodes.notFound) {
          this.#refusal =
            code === closeCodes.notFound
              ? "It was deleted, or you may not see it any more. What is shown is what was known until then."
              : "Your rights were changed. What is shown is what was known until then.";
          for (const listener of this.#listeners) listener();
        }
      },
    });
  }

  #schedule(): void {
    if (this.#frame || this.#timer) return;
    if (document.hidden) this.#timer = setTimeout(this.#flush, hiddenPace);
    else {
      this.#frame = requestAnimationFrame(this.#flush);
      // A page that is hidden meanwhile gets no more frames.
      this.#timer = setTimeout(this.#flush, hiddenPace);
    }
  }

  #flush = (): void => {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = 0;
    this.#timer = undefined;
    if (this.#queue.length === 0) return;
    const queue = this.#queue;
    this.#queue = [];
    this.#set(foldAll(this.#run, queue));
    this.logs.hear(queue);
    if (this.#run.stale) this.#askAgain(resyncPace);
  };

  #set(run: Run): void {
    if (run === this.#run) return;
    this.#run = run;
    for (const listener of this.#listeners) listener();
  }

  /** Asks for a snapshot, for what the events leave out. */
  #askAgain(wait: number): void {
    this.#resync ??= setTimeout(async () => {
      try {
        const { result, seq } = await fetchSnapshot(this.#id);
        if (this.#stop.signal.aborted) return;
        this.#flush();
        this.#set(withSnapshot(this.#run, result, seq));
      } catch {
        // The server is away; what is missing is asked for again below.
      } finally {
        this.#resync = undefined;
        if (this.#run.stale && !this.#stop.signal.aborted) this.#askAgain(resyncPace);
      }
    }, wait);
  }

  /** Reads the log of the past, page by page, up to where the present begins. */
  async #readLogs(): Promise<void> {
    const { signal } = this.#stop;
    const lines = Object.values(this.#run.result.step_results).reduce((sum, step) => sum + step.log_count, 0);
    // Every line has a number of its own, so that at most as many lines stand before it.
    let after = Math.max(this.logs.readUpTo, lines - maxLines);
    if (this.logs.readUpTo === 0 && after > 0) this.logs.skip(after);
    this.logs.mark("loading");
    while (!signal.aborted) {
      try {
        const { logs, next } = await readLogs(this.#id, after, signal);
        const met = this.logs.read(logs);
        if (met || !next) break;
        after = Number(next);
        this.logs.mark("loading");
      } catch {
        if (signal.aborted) break;
        this.logs.mark("failed");
        await new Promise((resolve) => setTimeout(resolve, logPace));
      }
    }
    if (!signal.aborted) this.logs.mark("ready");
  }
}

/** Follows a run as long as the component is there. result is what the run begins with. */
export function useLiveRun(result: Execution): LiveRun {
  const [live] = useState(() => new LiveRun(result));
  useEffect(() => live.start(), [live]);
  useEffect(() => live.accept(result), [live, result]);
  return live;
}

/** The run as it is now. */
export function useRun(live: LiveRun): Run {
  return useSyncExternalStore(live.subscribe, live.get);
}
