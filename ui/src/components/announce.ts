// What is said aloud: the whole app has one polite live region and one for errors, see LiveRegions.
import { useEffect, useRef } from "react";

/** Politely where something changed, assertively where what the person did went wrong. */
export type Manner = "polite" | "assertive";

export interface Announcement {
  id: number;
  text: string;
  manner: Manner;
}

/** How long a text stays, in milliseconds: to be read, but not to be found by who walks through the page later. */
export const staysFor = 7000;

let current: readonly Announcement[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Announcement[]): void {
  current = next;
  for (const listener of listeners) listener();
}

/** Each text is an element of its own for a while: so none swallows another, and the same one is read again. */
export function announce(text: string, manner: Manner = "polite"): void {
  if (!text.trim()) return;
  const id = ++last;
  set([...current, { id, text, manner }]);
  setTimeout(() => set(current.filter((each) => each.id !== id)), staysFor);
}

export const announcements = {
  get: () => current,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};

interface AnnouncedOptions {
  manner?: Manner;
  /** Also says the text that it begins with, as of a mistake that appears. */
  opening?: boolean;
}

/**
 * Says a text whenever it changes. What it begins with is read with the page, unless opening says otherwise;
 * null is for what is not known yet, and an empty text for what is not there.
 */
export function useAnnounced(text: string | null, { manner = "polite", opening = false }: AnnouncedOptions = {}): void {
  const before = useRef<string | null>(opening ? "" : null);
  useEffect(() => {
    if (text === null || text === before.current) return;
    const opens = before.current === null;
    before.current = text;
    if (!opens) announce(text, manner);
  }, [text, manner]);
}
