import { useSyncExternalStore } from "react";

/** One timer for each pace, however many texts tick with it. */
class Pace {
  now = Date.now();
  private readonly listeners = new Set<() => void>();
  private timer?: ReturnType<typeof setInterval>;

  constructor(private readonly every: number) {}

  // Both are the same functions for as long as the page lives: were subscribe
  // another one at each drawing, every text would leave and join anew, and the
  // time that the first to join sets would ask for the next drawing, without end.
  readonly read = () => this.now;
  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    if (!this.timer) {
      this.now = Date.now();
      this.timer = setInterval(() => {
        this.now = Date.now();
        for (const each of this.listeners) each();
      }, this.every);
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  };
}

const paces = new Map<number, Pace>();

function paceOf(every: number): Pace {
  let pace = paces.get(every);
  if (!pace) {
    pace = new Pace(every);
    paces.set(every, pace);
  }
  return pace;
}

/** The current time in milliseconds, renewed at this pace. */
export function useNow(every: number): number {
  const { subscribe, read } = paceOf(every);
  return useSyncExternalStore(subscribe, read);
}
