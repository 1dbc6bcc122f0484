import { lazy, Suspense } from "react";
import type { RunDialog } from "../context";

const dialogs = {
  cancel: lazy(() => import("./CancelDialog")),
  retry: lazy(() => import("./RetryDialog")),
  fork: lazy(() => import("./ForkDialog")),
  undo: lazy(() => import("./UndoDialog")),
  compare: lazy(() => import("./CompareDialog")),
  explain: lazy(() => import("./ExplainDialog")),
  delete: lazy(() => import("./DeleteDialog")),
} satisfies Record<RunDialog, unknown>;

/** What every dialog of the page is given. */
export interface RunDialogProps {
  /** The step that it is about, where it was asked for one. */
  step: string | undefined;
  onClose: () => void;
}

interface DialogsProps extends RunDialogProps {
  asked: RunDialog | undefined;
}

/** The dialog that was asked for, loaded when it first is. */
export function Dialogs({ asked, ...props }: DialogsProps) {
  if (!asked) return null;
  const Dialog = dialogs[asked];
  return (
    <Suspense>
      <Dialog {...props} />
    </Suspense>
  );
}
