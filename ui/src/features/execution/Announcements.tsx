import { useEffect, useRef, useState } from "react";
import { Announcer, announcement } from "../run/announce";
import { useRunPage } from "./context";

/** Says politely how the run goes on, not more often than one can listen. */
export function Announcements() {
  const { result } = useRunPage().run;
  const [said, setSaid] = useState("");
  const announcer = useRef<Announcer | null>(null);
  const text = announcement(result);
  useEffect(() => {
    const made = new Announcer(setSaid);
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
  return (
    <p className="visually-hidden" role="status">
      {said}
    </p>
  );
}
