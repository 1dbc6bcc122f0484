// The sockets. One for the whole page tells of every execution; one for each
// execution that is watched gives its events by number, without a gap and
// without a double, across any number of reconnects.
import { useSyncExternalStore } from "react";
import type { Execution, LiveEvent } from "./types";

const firstWait = 500;
const longestWait = 10_000;

/** What closes a socket for good; see the contract of the sockets. */
export const closeCodes = {
  ended: 1000,
  badParameters: 4400,
  signedOut: 4401,
  notAllowed: 4403,
  notFound: 4404,
} as const;
const finalCodes: readonly number[] = Object.values(closeCodes);

export interface Connection {
  close(): void;
}

interface SocketOptions {
  /** The address, made anew for each try. */
  url: () => string;
  onMessage: (message: unknown) => void;
  onOpen?: (again: boolean) => void;
  onLost?: () => void;
  /** Called once, when the server closed it for good. */
  onEnd?: (code: number) => void;
  make?: (url: string) => WebSocket;
}

/** What waits for its next try; a connection that came back, or the network, spares the others the rest of their wait. */
const waiting = new Set<() => void>();

function hurryAll(): void {
  for (const hurry of [...waiting]) hurry();
}

globalThis.addEventListener?.("online", hurryAll);

/** Keeps a socket open, with a wait that doubles between tries. */
export function keepOpen(options: SocketOptions): Connection {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = firstWait;
  let opened = false;
  let closed = false;
  const make = options.make ?? ((url: string) => new WebSocket(url));

  const connect = () => {
    timer = undefined;
    waiting.delete(hurry);
    const current = make(options.url());
    socket = current;
    current.onopen = () => {
      wait = firstWait;
      options.onOpen?.(opened);
      opened = true;
      hurryAll();
    };
    current.onmessage = (message) => {
      try {
        options.onMessage(JSON.parse(String(message.data)));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    };
    current.onclose = (event) => {
      if (closed) return;
      if (finalCodes.includes(event.code)) {
        closed = true;
        options.onEnd?.(event.code);
        return;
      }
      options.onLost?.();
      timer = setTimeout(connect, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, longestWait);
      waiting.add(hurry);
    };
  };
  function hurry() {
    if (closed || timer === undefined) return;
    clearTimeout(timer);
    connect();
  }
  connect();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      waiting.delete(hurry);
      socket?.close(closeCodes.ended);
    },
  };
}

export function socketAddress(path: string): string {
  const { protocol, host } = globalThis.location;
  return `${protocol === "https:" ? "wss" : "ws"}://${host}${path}`;
}

/** The first message of an execution's socket: the result as it stands. */
export interface Snapshot {
  event: "snapshot";
  seq: number;
  execution_id: string;
  result: Execution;
}

/** Tells that a workflow was saved or deleted. It has no number: who may have missed one asks again. */
export interface WorkflowNotice {
  event: "workflow_changed" | "workflow_deleted";
  workflow_id: string;
  /** The newest revision, of one that was saved. */
  revision?: number;
  /** Who did it. */
  by?: string;
}

/** The event as a notice about a workflow, where it is one. */
export function workflowNotice(event: { event: string }): WorkflowNotice | undefined {
  return event.event === "workflow_changed" || event.event === "workflow_deleted"
    ? (event as WorkflowNotice)
    : undefined;
}

/** Asks once for a result with the number of the last event in it. */
export function fetchSnapshot(id: string): Promise<Snapshot> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(socketAddress(`/ws/vwmp/executions/${encodeURIComponent(id)}`));
    socket.onmessage = (message) => {
      const event = JSON.parse(String(message.data)) as Snapshot;
      if (event.event === "snapshot") resolve(event);
      else reject(new Error("the first message was no snapshot"));
      socket.close(closeCodes.ended);
    };
    socket.onclose = () => reject(new Error("the connection was closed"));
  });
}

interface Watcher {
  /** What is known already; the server sends what comes after it. Without it a snapshot comes first. */
  afterSeq?: number;
  onSnapshot?: (snapshot: Snapshot) => void;
  onEvent: (event: LiveEvent) => void;
  onOpen?: (again: boolean) => void;
  onLost?: () => void;
  onEnd?: (code: number) => void;
}

/**
 * Follows one execution. Each event is handed over once and in the order of
 * its number, whatever happens to the connection.
 */
export function watchExecution(
  id: string,
  watcher: Watcher,
  make?: (url: string) => WebSocket,
): Connection & { send(type: "cancel" | "pause" | "resume"): void } {
  let seen = watcher.afterSeq ?? -1;
  let current: WebSocket | undefined;
  const connection = keepOpen({
    url: () => socketAddress(`/ws/vwmp/executions/${encodeURIComponent(id)}${seen >= 0 ? `?after_seq=${seen}` : ""}`),
    make: (url) => {
      current = make ? make(url) : new WebSocket(url);
      return current;
    },
    onMessage: (message) => {
      const event = message as LiveEvent | Snapshot;
      if (event.event === "snapshot") {
        seen = event.seq;
        watcher.onSnapshot?.(event as Snapshot);
        return;
      }
      if (typeof event.seq !== "number") return;
      if (event.seq <= seen) return;
      seen = event.seq;
      watcher.onEvent(event as LiveEvent);
    },
    onOpen: watcher.onOpen,
    onLost: watcher.onLost,
    onEnd: watcher.onEnd,
  });
  return {
    close: connection.close,
    send(type) {
      current?.send(JSON.stringify({ type }));
    },
  };
}

/** Refused: the person may not hear what happens any more, and trying again is of no use. */
export type ConnectionState = "connecting" | "open" | "lost" | "signed-out" | "refused";

/** One socket for the whole page, opened by the shell. */
class EventStream {
  #state: ConnectionState = "connecting";
  #listeners = new Set<(event: LiveEvent) => void>();
  #stateListeners = new Set<() => void>();
  #reopened = new Set<() => void>();
  #connection: Connection | undefined;

  start(): () => void {
    this.#connection?.close();
    this.#set("connecting");
    const connection = keepOpen({
      url: () => socketAddress("/ws/vwmp/events"),
      onMessage: (message) => {
        for (const listener of this.#listeners) listener(message as LiveEvent);
      },
      onOpen: (again) => {
        const back = again || this.#state === "lost";
        this.#set("open");
        // What happened while there was no connection was not heard of.
        if (back) for (const listener of this.#reopened) listener();
      },
      onLost: () => this.#set("lost"),
      onEnd: (code) => this.#set(code === closeCodes.signedOut ? "signed-out" : "refused"),
    });
    this.#connection = connection;
    return () => connection.close();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  onEvent(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onReopen(listener: () => void): () => void {
    this.#reopened.add(listener);
    return () => this.#reopened.delete(listener);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  };

  #set(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of this.#stateListeners) listener();
  }
}

export const events = new EventStream();

/** Where the page's connection to the server is. */
export function useConnection(): ConnectionState {
  return useSyncExternalStore(events.subscribe, () => events.state);
}
