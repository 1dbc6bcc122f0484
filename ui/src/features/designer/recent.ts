// The handlers that were added last, for the top of the palette.
import { useSyncExternalStore } from "react";

const key = "vwmp.recent-handlers";
const most = 5;
const listeners = new Set<() => void>();
let list: readonly string[] | undefined;

function read(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(kept) ? kept.filter((path) => typeof path === "string").slice(0, most) : [];
  } catch {
    return [];
  }
}

/** Paths of handlers, the latest first. */
export function recentHandlers(): readonly string[] {
  list ??= read();
  return list;
}

/** Puts a handler on top. */
export function noteHandler(path: string): void {
  list = [path, ...recentHandlers().filter((other) => other !== path)].slice(0, most);
  try {
    localStorage.setItem(key, JSON.stringify(list));
  } catch {
    // It then lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

export function useRecentHandlers(): readonly string[] {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, recentHandlers);
}
