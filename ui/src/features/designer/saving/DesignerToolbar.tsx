import { Code, History, Save } from "lucide-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { useLocation } from "wouter";
import { useWhyNot } from "../../../api/role";
import type { Definition } from "../../../api/types";
import { keysText } from "../../../app/shortcuts";
import { Button, IconButton } from "../../../components/Button";
import { toast } from "../../../components/toast";
import { count } from "../../../lib/text";
import { useDesignerState, useDesignerStore } from "../context";
import { ExecuteButton } from "../run/ExecuteButton";
import { usePanel } from "../view";
import { MoreMenu } from "./MoreMenu";
import { SaveState } from "./SaveState";
import styles from "./Saving.module.css";
import { useSavingSession, useSavingState, useUnsaved } from "./useSaving";

const ConflictDialog = lazy(() => import("./ConflictDialog"));
const ImportDialog = lazy(() => import("../templates/ImportDialog"));
const NameDialog = lazy(() => import("./NameDialog"));

function Title() {
  const name = useDesignerState((state) => state.document.name);
  const steps = useDesignerState((state) => state.document.steps.length);
  const unsaved = useUnsaved();
  return (
    <div className={styles.title}>
      <h1>
        <span className={styles.name} title={name}>
          {name || "Unnamed workflow"}
        </span>
        {unsaved && <span className={styles.dot} aria-hidden="true" />}
      </h1>
      <p className={styles.under}>
        {count(steps, "step")} · <SaveState />
      </p>
    </div>
  );
}

function SaveButton() {
  const session = useSavingSession();
  const saving = useSavingState((state) => state.progress.kind === "saving");
  const mayNot = useWhyNot("edit");
  return (
    <Button
      icon={<Save />}
      busy={saving}
      why={mayNot}
      title={mayNot ? undefined : `Save (${keysText("Mod+S")})`}
      aria-label="Save"
      onClick={() => void session.save()}
    >
      <span className={styles.roomOnly}>Save</span>
    </Button>
  );
}

/** Name and state of the workflow, then the canvas's own buttons (children), then source, save and execute. */
export function DesignerToolbar({ children }: { children: ReactNode }) {
  const session = useSavingSession();
  const store = useDesignerStore();
  const document = useDesignerState((state) => state.document);
  const { name } = document;
  const stored = useDesignerState((state) => state.saved.id !== null);
  const [panel, setPanel] = usePanel();
  const conflicts = useSavingState((state) => state.conflict !== null);
  const copying = useSavingState((state) => state.copying);
  const [importing, setImporting] = useState(false);
  const [, go] = useLocation();
  const take = async (imported: Definition, text: string) => {
    store.getState().edit(() => imported);
    (await session.openText()).restore(text);
  };
  const copy = async (copyName: string) => {
    const id = await session.saveCopy(copyName);
    toast({ title: `“${copyName}” was saved`, kind: "success" });
    go(`/designer/${id}`);
  };
  return (
    <div className={styles.bar}>
      <Title />
      <div className={styles.tools}>
        {children}
        <IconButton
          label="Source"
          icon={<Code />}
          aria-pressed={panel === "source"}
          onClick={() => setPanel(panel === "source" ? null : "source")}
        />
        <IconButton
          label={stored ? "Versions" : "Versions: none before the first save"}
          icon={<History />}
          disabled={!stored}
          aria-pressed={panel === "history"}
          onClick={() => setPanel(panel === "history" ? null : "history")}
        />
        <MoreMenu onImport={() => setImporting(true)} />
      </div>
      <div className={styles.main}>
        <SaveButton />
        <ExecuteButton />
      </div>
      <Suspense>
        {conflicts && <ConflictDialog />}
        {importing && (
          <ImportDialog
            open
            onOpenChange={setImporting}
            current={document}
            onImport={(imported, text) => void take(imported, text)}
          />
        )}
        {copying && (
          <NameDialog
            open
            onOpenChange={(open) => session.askCopy(open)}
            title="Save as copy"
            description="What is here becomes a new workflow with a history of its own."
            label="Name"
            start={`${name} (copy)`}
            required
            confirm="Save as copy"
            busyText="Saving…"
            failed="The copy could not be saved"
            onConfirm={copy}
          />
        )}
      </Suspense>
    </div>
  );
}
