import { useMutation } from "@tanstack/react-query";
import {
  Ban,
  CirclePause,
  CirclePlay,
  CircleQuestionMark,
  Ellipsis,
  FileDown,
  GitCompareArrows,
  GitFork,
  RotateCcw,
  ScrollText,
  Trash2,
  Undo2,
} from "lucide-react";
import { useLocation } from "wouter";
import { cancelExecution, pauseExecution, resumeExecution } from "../../api/actions";
import { useMay } from "../../api/role";
import { Button, IconButton } from "../../components/Button";
import { Menu } from "../../components/Menu";
import { useRunPage } from "./context";
import { saveText } from "./logs/download";

/** What was tried and not done. */
export interface Refused {
  doing: string;
  error: unknown;
}

interface RunActionsProps {
  /** Hears why something was not done, and undefined when the next is tried: there is no dialog to tell it in. */
  onRefused: (refused: Refused | undefined) => void;
}

/** Does something at once. */
function useQuickAction(act: () => Promise<unknown>, doing: string, onRefused: RunActionsProps["onRefused"]) {
  return useMutation({
    mutationFn: act,
    onMutate: () => onRefused(undefined),
    onError: (error) => onRefused({ doing, error }),
  });
}

/** What can be done with the run now. */
export function RunActions({ onRefused }: RunActionsProps) {
  const { id, run, allowed, refused, ask } = useRunPage();
  const auditor = useMay("audit");
  const [, go] = useLocation();
  const off = (why: string | undefined) => ({ disabled: why !== undefined, hint: why });
  const pause = useQuickAction(() => pauseExecution(id), "It could not be paused", onRefused);
  const resume = useQuickAction(() => resumeExecution(id), "It could not be resumed", onRefused);
  const end = useQuickAction(() => cancelExecution(id), "It could not be ended", onRefused);
  const failed = run.result.status === "failed" || run.result.status === "cancelled";
  return (
    <>
      {allowed.pause && (
        <Button icon={<CirclePause />} why={refused.pause} busy={pause.isPending} onClick={() => pause.mutate()}>
          Pause
        </Button>
      )}
      {allowed.resume && (
        <Button
          kind="primary"
          icon={<CirclePlay />}
          why={refused.resume}
          busy={resume.isPending}
          onClick={() => resume.mutate()}
        >
          Resume
        </Button>
      )}
      {allowed.cancel &&
        (run.cancelling ? (
          <Button icon={<Ban />} why={refused.cancel} busy={end.isPending} onClick={() => end.mutate()}>
            End clean-up too
          </Button>
        ) : (
          <Button icon={<Ban />} why={refused.cancel} onClick={() => ask("cancel")}>
            Cancel
          </Button>
        ))}
      {allowed.repeat && (
        <Button
          kind={failed ? "primary" : "secondary"}
          icon={<RotateCcw />}
          why={refused.repeat}
          onClick={() => ask("retry")}
        >
          Retry
        </Button>
      )}
      <Menu
        trigger={<IconButton label="More actions" icon={<Ellipsis />} bordered />}
        groups={[
          [
            allowed.repeat && {
              id: "fork",
              label: "Fork…",
              icon: <GitFork />,
              ...off(refused.repeat),
              onSelect: () => ask("fork"),
            },
            allowed.undo && {
              id: "undo",
              label: "Undo this run…",
              icon: <Undo2 />,
              ...off(refused.undo),
              onSelect: () => ask("undo"),
            },
          ],
          [
            { id: "explain", label: "Explain this run", icon: <CircleQuestionMark />, onSelect: () => ask("explain") },
            { id: "compare", label: "Compare with…", icon: <GitCompareArrows />, onSelect: () => ask("compare") },
            {
              id: "save",
              label: "Download the result",
              icon: <FileDown />,
              onSelect: () => saveText([JSON.stringify(run.result, null, 2)], `${id}.json`, "application/json"),
            },
          ],
          [
            auditor && {
              id: "audit",
              label: "Audit trail",
              icon: <ScrollText />,
              onSelect: () => go(`/audit?object=${encodeURIComponent(`executions/${id}`)}`),
            },
          ],
          [
            allowed.delete && {
              id: "delete",
              label: "Delete…",
              icon: <Trash2 />,
              danger: refused.delete === undefined,
              ...off(refused.delete),
              onSelect: () => ask("delete"),
            },
          ],
        ]}
      />
    </>
  );
}
