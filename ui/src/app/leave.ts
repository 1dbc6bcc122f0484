// Asks before a page with unsaved work is left, within the pages and beyond.
import { useEffect, useSyncExternalStore } from "react";
import type { AroundNavHandler } from "wouter";

const guards = new Set<object>();
const listeners = new Set<() => void>();
let asked: (() => void) | null = null;

function ask(go: (() => void) | null): void {
  asked = go;
  for (const listener of listeners) listener();
}

function unguard(given: Iterable<object>): void {
  for (const guard of given) guards.delete(guard);
  if (guards.size === 0) globalThis.removeEventListener("beforeunload", beforeUnload);
}

function beforeUnload(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

/** Runs the navigation at once, or after the person agreed to leave. Search and hash changes pass. */
export const aroundNav: AroundNavHandler = (navigate, to, options) => {
  const go = () => navigate(to, options);
  const here = globalThis.location.pathname;
  const there = new URL(to, globalThis.location.origin).pathname;
  if (guards.size === 0 || there === here || `/vwmp${there}` === here) go();
  else ask(go);
};

/** While unsaved is true, leaving the page asks first. */
export function useLeaveGuard(unsaved: boolean): void {
  useEffect(() => {
    if (!unsaved) return;
    const guard = {};
    guards.add(guard);
    if (guards.size === 1) globalThis.addEventListener("beforeunload", beforeUnload);
    return () => unguard([guard]);
  }, [unsaved]);
}

/** The navigation that waits for an answer, and how to answer it. */
export function useAskedToLeave(): { waiting: boolean; leave: () => void; stay: () => void } {
  const waiting = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => asked !== null,
  );
  return {
    waiting,
    leave() {
      const go = asked;
      // The page that is left goes some time after its address; until then it has no more to ask.
      unguard([...guards]);
      ask(null);
      go?.();
    },
    stay: () => ask(null),
  };
}
