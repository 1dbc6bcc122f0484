import { Check, CircleAlert } from "lucide-react";
import { Spinner } from "../../../components/Spinner";
import { count } from "../../../lib/text";
import { useDesignerState } from "../context";
import styles from "./Saving.module.css";
import { useSavingState, useUnsaved } from "./useSaving";

/** Where saving is, in a few words: Saving, Saved, what is unsaved, or that it failed. */
export function SaveState() {
  const unsaved = useUnsaved();
  const progress = useSavingState((state) => state.progress);
  const { id, revision } = useDesignerState((state) => state.saved);
  let content = null;
  if (progress.kind === "saving") {
    content = (
      <>
        <Spinner /> Saving…
      </>
    );
  } else if (progress.kind === "failed" && (unsaved || id === null)) {
    content = (
      <span className={styles.failed}>
        <CircleAlert aria-hidden="true" /> Not saved
      </span>
    );
  } else if (unsaved) {
    content = "Unsaved changes";
  } else if (id === null) {
    content = "Not saved yet";
  } else if (progress.kind === "saved") {
    content = (
      <>
        <Check aria-hidden="true" /> Saved
        {progress.problems > 0 ? ` as a draft with ${count(progress.problems, "problem")}` : `, version ${revision}`}
      </>
    );
  } else {
    content = `Version ${revision}`;
  }
  return (
    <span className={styles.state} role="status">
      {content}
    </span>
  );
}
