// A part of the page that stays the same while the frame around it changes,
// as when a window gets narrow: React would draw it anew in the new frame, and
// what was typed into it would be gone.
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";

interface Home {
  element: HTMLElement;
  /** What in it has the focus, or had it until what is done now. */
  focused: HTMLElement | null;
  /** What had the focus when the part was taken out of a frame. */
  taken: HTMLElement | null;
}

function makeHome(): Home {
  const element = document.createElement("div");
  element.style.display = "contents";
  const home: Home = { element, focused: null, taken: null };
  element.addEventListener("focusin", ({ target }) => {
    home.focused = target as HTMLElement;
  });
  // A frame may be out of the page, and the focus lost, before the place in it hears of its end: so it is forgotten later.
  const look = () => {
    if (!element.contains(document.activeElement)) home.focused = null;
  };
  element.addEventListener("focusout", () => queueMicrotask(look));
  return home;
}

function Place({ home }: { home: Home }) {
  const own = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    own.current?.append(home.element);
    if (document.activeElement === document.body) home.taken?.focus({ preventScroll: true });
    home.taken = null;
    return () => {
      home.taken = home.focused;
    };
  }, [home]);
  return <div ref={own} style={{ display: "contents" }} />;
}

/**
 * Draws a part once, and gives the place to show it at. The place stands in
 * one frame at a time; what is drawn stands behind the frame, so that the part
 * is in the page when its effects run. Events of the part reach the listeners
 * of the frame's elements, but not the handlers that React gives them; and a
 * frame that is a dialog doesn't know what opens above the part.
 */
export function useKept(part: ReactNode): { drawn: ReactNode; place: ReactNode } {
  const [home] = useState(makeHome);
  return { drawn: createPortal(part, home.element), place: <Place home={home} /> };
}
