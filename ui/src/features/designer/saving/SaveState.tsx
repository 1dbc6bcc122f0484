import { Check, CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useAnnounced } from "../../../components/announce";
import { Spinner } from "../../../components/Spinner";
import { count } from "../../../lib/text";
import { useDesignerState } from "../context";
import styles from "./Saving.module.css";
import type { SavingState } from "./session";
import { useSavingState, useUnsaved } from "./useSaving";

interface Said {
  words: string;
  icon?: ReactNode;
  failed?: boolean;
}

function said(
  progress: SavingState["progress"],
  unsaved: boolean,
  saved: { id: string | null; revision: number },
): Said {
  if (progress.kind === "saving") return { words: "Saving…", icon: <Spinner /> };
  if (progress.kind === "failed" && (unsaved || saved.id === null)) {
    return { words: "Not saved", icon: <CircleAlert aria-hidden="true" />, failed: true };
  }
  if (unsaved) return { words: "Unsaved changes" };
  if (saved.id === null) return { words: "Not saved yet" };
  if (progress.kind !== "saved") return { words: `Version ${saved.revision}` };
  const { problems } = progress;
  const words =
    problems > 0 ? `Saved as a draft with ${count(problems, "problem")}` : `Saved, version ${saved.revision}`;
  return { words, icon: <Check aria-hidden="true" /> };
}

/** Where saving is, in a few words: Saving, Saved, what is unsaved, or that it failed. */
export function SaveState() {
  const unsaved = useUnsaved();
  const progress = useSavingState((state) => state.progress);
  const saved = useDesignerState((state) => state.saved);
  const { words, icon, failed } = said(progress, unsaved, saved);
  useAnnounced(words);
  return (
    // Where the toolbar has no room for the words, they end in dots and the pointer has them whole.
    <span className={failed ? styles.failed : styles.state} title={words}>
      {icon}
      {words}
    </span>
  );
}
