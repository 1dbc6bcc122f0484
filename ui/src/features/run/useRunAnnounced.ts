import { useEffect, useRef } from "react";
import type { Execution } from "../../api/types";
import { announce } from "../../components/announce";
import { Announcer, announcement } from "./announce";

/**
 * Says politely how a run goes on, not more often than one can listen. What a
 * page opens with is read with the page; opening says it too, for a run that
 * begins while one looks.
 */
export function useRunAnnounced(result: Execution | undefined, { opening = false } = {}): void {
  const announcer = useRef<Announcer | null>(null);
  const first = useRef(true);
  const text = result && announcement(result);
  useEffect(() => {
    const made = new Announcer(announce);
    announcer.current = made;
    return () => made.close();
  }, []);
  useEffect(() => {
    if (text === undefined) return;
    if (first.current && !opening) announcer.current?.known(text);
    else announcer.current?.announce(text);
    first.current = false;
  }, [text, opening]);
}
