import { useEffect, useRef } from "react";
import { isTyping } from "../../../app/shortcuts";
import { useCommands } from "../commands";

/** Whether the clipboard's keys belong to a field, a dialog or marked text, and not to the steps. */
function isElsewhere(event: ClipboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : document.activeElement;
  const marked = globalThis.getSelection?.();
  return (
    event.defaultPrevented ||
    isTyping(target) ||
    target?.closest('[role="dialog"], [role="alertdialog"], [role="menu"], [data-own-clipboard]') != null ||
    (event.type !== "paste" && marked != null && !marked.isCollapsed)
  );
}

/**
 * Copy, cut and paste of steps. The browser's own events are used: they need
 * no permission, and leave fields and marked texts alone.
 */
export function useClipboard(targets: () => ReadonlySet<string>, onPasted: (ids: string[]) => void): void {
  const commands = useCommands();
  const latest = useRef({ commands, targets, onPasted });
  latest.current = { commands, targets, onPasted };
  useEffect(() => {
    const onCopy = (event: ClipboardEvent) => {
      const ids = latest.current.targets();
      if (ids.size === 0 || isElsewhere(event)) return;
      event.clipboardData?.setData("text/plain", latest.current.commands.copyText(ids));
      event.preventDefault();
      if (event.type === "cut") latest.current.commands.remove(ids);
    };
    const onPaste = (event: ClipboardEvent) => {
      if (isElsewhere(event)) return;
      event.preventDefault();
      const text = event.clipboardData?.getData("text/plain") ?? "";
      void latest.current.commands.paste(text).then((ids) => latest.current.onPasted(ids));
    };
    document.addEventListener("copy", onCopy);
    document.addEventListener("cut", onCopy);
    document.addEventListener("paste", onPaste);
    return () => {
      document.removeEventListener("copy", onCopy);
      document.removeEventListener("cut", onCopy);
      document.removeEventListener("paste", onPaste);
    };
  }, []);
}
