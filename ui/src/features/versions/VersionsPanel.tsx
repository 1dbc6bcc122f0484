import { X } from "lucide-react";
import { IconButton } from "../../components/Button";
import { useDesignerState } from "../designer/context";
import { useEditingLock } from "../designer/live";
import { useSavingSession, useUnsaved } from "../designer/saving/useSaving";
import { usePanel } from "../designer/view";
import VersionList from "./VersionList";
import styles from "./Versions.module.css";

/** The saved versions of the workflow that is open in the designer. */
export default function VersionsPanel() {
  const { id, revision } = useDesignerState((state) => state.saved);
  const session = useSavingSession();
  const unsaved = useUnsaved();
  const lock = useEditingLock();
  const [, setPanel] = usePanel();
  return (
    <aside className={styles.panel} aria-label="Versions">
      <header className={styles.head}>
        <h2>Versions</h2>
        <IconButton size="small" label="Close the versions" icon={<X />} onClick={() => setPanel(null)} />
      </header>
      <div className={styles.body}>
        {id === null ? (
          <p>There are none before the first save.</p>
        ) : (
          <VersionList
            workflowId={id}
            current={revision}
            locked={lock?.reason}
            warning={unsaved ? "What is not saved here gives way to it; undo brings that back." : undefined}
            onRestored={() => void session.takeTheirs()}
          />
        )}
      </div>
    </aside>
  );
}
