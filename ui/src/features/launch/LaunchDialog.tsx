import type { Parameter } from "../../api/types";

interface LaunchDialogProps {
  workflow: { id: string; name: string; revision: number; parameters?: Parameter[] };
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onStarted?: (executionId: string) => void;
  before?: () => Promise<boolean>;
}

/** Asks for the parameters of an execution, then starts it. */
export default function LaunchDialog(_: LaunchDialogProps) {
  return null;
}
