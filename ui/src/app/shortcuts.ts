// Keyboard shortcuts. Whoever has an action registers it with its keys and its
// words; the sheet behind "?" lists what is registered, so that it can't lie.
import { useEffect, useRef, useSyncExternalStore } from "react";

export interface Shortcut {
  /** As it is listed: "Mod+S", "Shift+A", "/", "?". Mod is Ctrl, and Cmd on a Mac. */
  keys: string;
  label: string;
  group: string;
  run: (event: KeyboardEvent) => void;
  /** Also acts while a text field has the focus; only for combinations with Mod, and Escape. */
  inFields?: boolean;
  /** False where it has nothing to do now: then it neither acts nor is listed. */
  enabled?: boolean;
  /** Only in the sheet: the part that has the focus handles the keys, or the browser makes an event of them. */
  listed?: boolean;
}

const registered = new Set<readonly Shortcut[]>();
const listeners = new Set<() => void>();
const lettersKey = "vwmp.letter-shortcuts";
let list: readonly Shortcut[] = [];
let letters = readLetters();

function readLetters(): boolean {
  try {
    return localStorage.getItem(lettersKey) !== "off";
  } catch {
    return true;
  }
}

function changed(): void {
  list = [...registered].flat().filter(({ enabled }) => enabled !== false);
  for (const listener of listeners) listener();
}

const mac = /Mac|iP(hone|ad)/.test(globalThis.navigator?.platform ?? "");

/** The keys as this machine names them. */
export function keysText(keys: string): string {
  if (!mac) return keys.replaceAll("Mod", "Ctrl");
  return keys.replaceAll("Mod+", "⌘").replaceAll("Shift+", "⇧").replaceAll("Alt+", "⌥");
}

/** Whether the person turned these keys off: those that are a single sign. */
export function isTurnedOff(keys: string): boolean {
  return !letters && [...keys].length === 1;
}

/** The keys as a menu or a tooltip names them beside what they do; nothing where they are turned off. */
export function keysHint(keys: string): string | undefined {
  return isTurnedOff(keys) ? undefined : keysText(keys);
}

/** keysHint, for what stays in the page while keys are turned off or on. */
export function useKeysHint(): typeof keysHint {
  useSyncExternalStore(subscribe, () => letters);
  return keysHint;
}

/** Whether an event is these keys. */
export function isPressed(keys: string, event: KeyboardEvent): boolean {
  const parts = keys.split("+").filter(Boolean);
  const key = keys.endsWith("++") || keys === "+" ? "+" : (parts.at(-1) ?? "");
  const wants = (name: string) => parts.slice(0, -1).includes(name);
  const mod = mac ? event.metaKey : event.ctrlKey;
  const other = mac ? event.ctrlKey : event.metaKey;
  if (mod !== wants("Mod") || other || event.altKey !== wants("Alt")) return false;
  // A sign such as "?" needs Shift on some keyboards and none on others.
  const letter = /^[a-z]$/i.test(key) || key.length > 1;
  if (letter && event.shiftKey !== wants("Shift")) return false;
  return event.key.toLowerCase() === key.toLowerCase() || (key === "Space" && event.key === " ");
}

/** Whether typing goes somewhere: then single keys are text, not commands. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement ||
      (target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(target.type)))
  );
}

const above = '[role="dialog"], [role="alertdialog"], [role="menu"]';
/** What holds the page until it closes; a list beside its button, which has a side, does not. */
const holding =
  '[role="dialog"][data-open]:not([data-side]), [role="alertdialog"][data-open]:not([data-side]), [role="menu"][data-open]';

/** Whether a dialog or a menu has the keys: it has the focus, or is open and gets it next. One that closes has them no more. */
function areKeysTaken(target: EventTarget | null): boolean {
  const within = target instanceof Element ? target.closest(above) : null;
  return (within !== null && !within.hasAttribute("data-closed")) || document.querySelector(holding) !== null;
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const typing = isTyping(event.target);
  // The latest page's shortcuts go before the shell's.
  for (const shortcut of [...list].reverse()) {
    if (shortcut.listed || isTurnedOff(shortcut.keys) || !isPressed(shortcut.keys, event)) continue;
    if (areKeysTaken(event.target) || (typing && !shortcut.inFields)) continue;
    event.preventDefault();
    shortcut.run(event);
    return;
  }
}

/** Registers shortcuts while the component is there. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  const described = shortcuts
    .map((s) => `${s.keys}\t${s.label}\t${s.group}\t${s.inFields}\t${s.enabled}\t${s.listed}`)
    .join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: registered anew only when what is listed changes.
  useEffect(() => {
    const mine = latest.current.map((shortcut, index) => ({
      ...shortcut,
      run: (event: KeyboardEvent) => latest.current[index]?.run(event),
    }));
    if (registered.size === 0) globalThis.addEventListener("keydown", onKeyDown);
    registered.add(mine);
    changed();
    return () => {
      registered.delete(mine);
      if (registered.size === 0) globalThis.removeEventListener("keydown", onKeyDown);
      changed();
    };
  }, [described]);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** All that act now, or would if single keys were on. */
export function useShortcutList(): readonly Shortcut[] {
  return useSyncExternalStore(subscribe, () => list);
}

/** Whether single letters act, and a way to change it. */
export function useLetterShortcuts(): [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore(subscribe, () => letters);
  return [
    on,
    (next) => {
      letters = next;
      try {
        localStorage.setItem(lettersKey, next ? "on" : "off");
      } catch {
        // It then lasts as long as the page.
      }
      changed();
    },
  ];
}
