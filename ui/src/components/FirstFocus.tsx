import { type RefObject, useLayoutEffect } from "react";

/**
 * Gives a field of a dialog the focus before the next key can come. The
 * library does so a frame later, and who types at once would type into the
 * page behind. It stands in the dialog, and gives the focus after the dialog
 * has noted where it was: there it goes back to.
 */
export function FirstFocus({ on }: { on: RefObject<HTMLElement | null> }) {
  useLayoutEffect(() => queueMicrotask(() => on.current?.focus()), [on]);
  return null;
}
