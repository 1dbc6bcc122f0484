// Light, dark, or as the system says. public/theme.js sets the same before
// anything is painted.
import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark" | "system";

const key = "vwmp.theme";
const listeners = new Set<() => void>();
let session: Theme | undefined;

function chosen(): Theme {
  if (session) return session;
  try {
    const kept = localStorage.getItem(key);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}

const dark = globalThis.matchMedia?.("(prefers-color-scheme: dark)");

function apply(): void {
  const theme = chosen();
  document.documentElement.dataset.theme = theme === "system" ? (dark?.matches ? "dark" : "light") : theme;
  for (const listener of listeners) listener();
}

dark?.addEventListener("change", apply);

/** Sets the theme and remembers it. */
export function chooseTheme(theme: Theme): void {
  session = theme;
  try {
    if (theme === "system") localStorage.removeItem(key);
    else localStorage.setItem(key, theme);
  } catch {
    // It then lasts as long as the page.
  }
  apply();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, chosen);
}
