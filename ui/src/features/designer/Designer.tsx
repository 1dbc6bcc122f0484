import { lazy, Suspense, useState } from "react";
import type { Definition } from "../../api/types";
import { useTitle } from "../../components/Page";
import { Canvas } from "./canvas/Canvas";
import { CanvasTools } from "./canvas/CanvasTools";
import { DesignerContext, useDesignerState } from "./context";
import styles from "./Designer.module.css";
import { Palette } from "./palette/Palette";
import { ProblemsButton } from "./problems/ProblemsButton";
import { RunPanel } from "./run/RunPanel";
import { DesignerToolbar } from "./saving/DesignerToolbar";
import { useSaving } from "./saving/useSaving";
import { SettingsPanel } from "./settings/SettingsPanel";
import { StepsList } from "./steps-list/StepsList";
import { createDesignerStore, type Saved } from "./store";
import { createViewStore, usePanel, useView, ViewContext } from "./view";

const SourceView = lazy(() => import("../source/SourceView"));
const VersionsPanel = lazy(() => import("../versions/VersionsPanel"));

function Frame() {
  const name = useDesignerState((state) => state.document.name);
  const stepsList = useView((view) => view.stepsList);
  const [panel] = usePanel();
  useTitle(`${name || "New workflow"} · Designer`);
  useSaving();
  return (
    <div className={styles.designer}>
      <Palette />
      <section className={styles.centre} aria-label="Workflow">
        <header className={styles.toolbar}>
          <DesignerToolbar>
            <ProblemsButton />
            <CanvasTools />
          </DesignerToolbar>
        </header>
        <div className={styles.work}>
          <div className={styles.canvas}>
            <Canvas />
          </div>
          {panel === "source" && (
            <Suspense>
              <SourceView />
            </Suspense>
          )}
        </div>
        <RunPanel />
      </section>
      {stepsList && <StepsList />}
      {panel === "history" && (
        <Suspense>
          <VersionsPanel />
        </Suspense>
      )}
      <SettingsPanel />
    </div>
  );
}

interface DesignerProps {
  /** What is edited at first; may differ from what is saved, such as a restored draft or an unsaved copy. */
  document: Definition;
  saved: Saved;
}

/** The designer of one workflow, new or stored. Give it a key: another document needs another designer. */
export function Designer({ document, saved }: DesignerProps) {
  const [store] = useState(() => createDesignerStore(document, saved));
  const [view] = useState(createViewStore);
  return (
    <DesignerContext.Provider value={store}>
      <ViewContext.Provider value={view}>
        <Frame />
      </ViewContext.Provider>
    </DesignerContext.Provider>
  );
}
