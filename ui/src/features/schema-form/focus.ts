// From a place in a value to its control on the page.

const controls = "input:not([disabled]), textarea:not([disabled]), select:not([disabled]), button:not([disabled])";

/** Puts the focus on the control of a pointer, or of what is around it. Gives false where there is none. */
export function focusField(within: ParentNode, pointer: string): boolean {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf("/"))) {
    const found = within.querySelector<HTMLElement>(`[data-pointer="${CSS.escape(at)}"]`);
    if (found) {
      const isControl = found.matches(controls);
      const inner = isControl ? null : found.querySelector<HTMLElement>(controls);
      const target = inner && at !== pointer ? found : isControl ? found : (inner ?? found);
      target.focus();
      found.scrollIntoView?.({ block: "center" });
      return true;
    }
    if (at === "") return false;
  }
}
