import { useEffect, useRef } from "react";
import { useLocation } from "wouter";

/**
 * A page that was gone to begins at its top, and the next Tab goes to its
 * content: the browser does both for a page that it loads, not for one that is
 * drawn in place. Back and forward keep where one was.
 */
export function useArrival(): void {
  const [at] = useLocation();
  const before = useRef(at);
  const byHistory = useRef(false);
  useEffect(() => {
    const tell = () => {
      byHistory.current = true;
    };
    globalThis.addEventListener("popstate", tell);
    return () => globalThis.removeEventListener("popstate", tell);
  }, []);
  useEffect(() => {
    if (before.current === at) return;
    before.current = at;
    if (!byHistory.current) globalThis.scrollTo(0, 0);
    byHistory.current = false;
    const main = document.getElementById("main");
    const focused = document.activeElement;
    // Whatever the page itself put the focus on is left alone.
    if (main && !(focused && main.contains(focused))) main.focus({ preventScroll: true });
  }, [at]);
}
