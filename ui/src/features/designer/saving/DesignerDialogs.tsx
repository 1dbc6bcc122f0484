import { lazy, Suspense } from "react";
import { useLocation } from "wouter";
import type { Definition } from "../../../api/types";
import { toast } from "../../../components/toast";
import { useDesignerState, useDesignerStore } from "../context";
import { LaunchRun } from "../run/LaunchRun";
import { useView, useViewStore } from "../view";
import { useSavingSession, useSavingState } from "./useSaving";

const ConflictDialog = lazy(() => import("./ConflictDialog"));
const ImportDialog = lazy(() => import("../templates/ImportDialog"));
const NameDialog = lazy(() => import("./NameDialog"));

function Note({ onOpenChange }: { onOpenChange: (open: boolean) => void }) {
  const session = useSavingSession();
  return (
    <NameDialog
      open
      onOpenChange={onOpenChange}
      title="Save with a note"
      description="The note stands beside the version in the history."
      label="What is this version about?"
      start=""
      confirm="Save"
      busyText="Saving…"
      failed="The workflow could not be saved"
      onConfirm={async (note) => {
        await session.save(note);
      }}
    />
  );
}

function Copy() {
  const session = useSavingSession();
  const name = useDesignerState((state) => state.document.name);
  const [, go] = useLocation();
  return (
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
      onConfirm={async (copyName) => {
        const id = await session.saveCopy(copyName);
        toast({ title: `“${copyName}” was saved`, kind: "success" });
        go(`/designer/${id}`);
      }}
    />
  );
}

function Import({ onOpenChange }: { onOpenChange: (open: boolean) => void }) {
  const session = useSavingSession();
  const store = useDesignerStore();
  const document = useDesignerState((state) => state.document);
  const take = async (imported: Definition, text: string) => {
    store.getState().edit(() => imported);
    (await session.openText()).restore(text);
  };
  return (
    <ImportDialog
      open
      onOpenChange={onOpenChange}
      current={document}
      onImport={(imported, text) => void take(imported, text)}
    />
  );
}

/**
 * The dialogs of the designer. They stand beside its frames, so that a window
 * which gets narrow or wide, such as a phone that is turned, keeps what was
 * typed into them.
 */
export function DesignerDialogs() {
  const view = useViewStore();
  const dialog = useView((state) => state.dialog);
  const conflicts = useSavingState((state) => state.conflict !== null);
  const copying = useSavingState((state) => state.copying);
  const close = (open: boolean) => !open && view.getState().set({ dialog: null });
  return (
    <Suspense>
      {conflicts && <ConflictDialog />}
      {copying && <Copy />}
      {dialog === "note" && <Note onOpenChange={close} />}
      {dialog === "import" && <Import onOpenChange={close} />}
      {dialog === "launch" && <LaunchRun onOpenChange={close} />}
    </Suspense>
  );
}
