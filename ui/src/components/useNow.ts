import { useSyncExternalStore } from "react";

// One timer for each pace, however many texts tick with it.
interface Pace {
  now: number;
  listeners: Set<() => void>;
  timer?: ReturnType<typeof setInterval>;
}

const paces = new Map<number, Pace>();

function paceOf(every: number): Pace {
  let pace = paces.get(every);
  if (!pace) {
    pace = { now: Date.now(), listeners: new Set() };
    paces.set(every, pace);
  }
  return pace;
}

/** The current time in milliseconds, renewed at this pace. */
export function useNow(every: number): number {
  const pace = paceOf(every);
  return useSyncExternalStore(
    (listener) => {
      pace.listeners.add(listener);
      if (!pace.timer) {
        pace.now = Date.now();
        pace.timer = setInterval(() => {
          pace.now = Date.now();
          for (const each of pace.listeners) each();
        }, every);
      }
      return () => {
        pace.listeners.delete(listener);
        if (pace.listeners.size === 0) {
          clearInterval(pace.timer);
          pace.timer = undefined;
        }
      };
    },
    () => pace.now,
  );
}
