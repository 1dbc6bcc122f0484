import { AlertDialog } from "../components/AlertDialog";
import { useAskedToLeave } from "./leave";

/** Asks before unsaved work is left behind. */
export function LeaveDialog() {
  const { waiting, leave, stay } = useAskedToLeave();
  return (
    <AlertDialog
      open={waiting}
      onOpenChange={(open) => !open && stay()}
      title="Leave without saving?"
      confirm="Leave without saving"
      cancel="Stay here"
      onConfirm={leave}
    >
      Your changes are not saved on the server. A draft of them stays in this browser and is offered when you come back.
    </AlertDialog>
  );
}
