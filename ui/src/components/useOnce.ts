import { useRef } from "react";

/** Whether something has been so at any time: for what is drawn from its first need on. */
export function useOnce(now: boolean): boolean {
  const once = useRef(now);
  once.current ||= now;
  return once.current;
}
