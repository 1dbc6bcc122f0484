import { useEffect, useRef } from "react";
import { announce } from "../../components/announce";
import { Announcer, announcement } from "../run/announce";
import { useRunPage } from "./context";

/** Says politely how the run goes on, not more often than one can listen. */
export function Announcements() {
  const { result } = useRunPage().run;
  const announcer = useRef<Announcer | null>(null);
  const text = announcement(result);
  useEffect(() => {
    const made = new Announcer(announce);
    announcer.current = made;
    return () => {
      made.close();
      announcer.current = null;
    };
  }, []);
  const first = useRef(true);
  useEffect(() => {
    // What the page opens with is read with the page.
    if (first.current) announcer.current?.known(text);
    else announcer.current?.announce(text);
    first.current = false;
  }, [text]);
  return null;
}
