import { CancelDialog as Question } from "../../run/CancelDialog";
import { useRunPage } from "../context";
import type { RunDialogProps } from "./Dialogs";

/** Asks once before the run of the page is cancelled. */
export default function CancelDialog({ onClose }: RunDialogProps) {
  const { run, definition } = useRunPage();
  return <Question result={run.result} definition={definition} onClose={onClose} />;
}
