import type { ReactNode } from "react";
import { count } from "../../../lib/text";
import { useDesignerState } from "../context";

/** Name and state of the workflow, then the canvas's own buttons (children), then source, save and execute. */
export function DesignerToolbar({ children }: { children: ReactNode }) {
  const name = useDesignerState((state) => state.document.name);
  const steps = useDesignerState((state) => state.document.steps.length);
  return (
    <>
      <h1>{name}</h1>
      <span>{count(steps, "step")}</span>
      {children}
    </>
  );
}
