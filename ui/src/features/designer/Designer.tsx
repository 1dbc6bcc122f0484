import { Tabs } from "@base-ui/react/tabs";
import { lazy, type ReactNode, type Ref, type RefObject, Suspense, useLayoutEffect, useRef, useState } from "react";
import { useWhyNot } from "../../api/role";
import type { Definition } from "../../api/types";
import { useTitle } from "../../components/Page";
import { useKept } from "../../components/useKept";
import { Canvas } from "./canvas/Canvas";
import { CanvasTools } from "./canvas/CanvasTools";
import { DesignerContext, useDesignerState, useDesignerStore } from "./context";
import styles from "./Designer.module.css";
import { Palette } from "./palette/Palette";
import { ProblemsButton } from "./problems/ProblemsButton";
import { RunPanel } from "./run/RunPanel";
import { SettingsContent, SettingsSide } from "./SettingsSide";
import { DesignerDialogs } from "./saving/DesignerDialogs";
import { DesignerToolbar } from "./saving/DesignerToolbar";
import { SavingNotices } from "./saving/SavingNotices";
import { sessionOf } from "./saving/session";
import { useSaving } from "./saving/useSaving";
import { createDesignerStore, type Saved } from "./store";
import { useNarrow } from "./useNarrow";
import { useRoom } from "./useRoom";
import { useStepInAddress } from "./useStepInAddress";
import { createViewStore, type Tab, usePanel, useTabOfFocus, useView, useViewStore, ViewContext } from "./view";

const StepsList = lazy(() => import("./steps-list/StepsList"));
const SourceView = lazy(() => import("../source/SourceView"));
const VersionsPanel = lazy(() => import("../versions/VersionsPanel"));

/** The canvas with what stands beside and below it. */
function Centre({ ref }: { ref?: Ref<HTMLElement> }) {
  const [panel] = usePanel();
  return (
    <section ref={ref} className={styles.centre} aria-label="Workflow" onFocus={useTabOfFocus("canvas")}>
      <header className={styles.toolbar}>
        <DesignerToolbar>
          <ProblemsButton />
          <CanvasTools />
        </DesignerToolbar>
      </header>
      <SavingNotices />
      <div className={styles.work}>
        <div className={styles.canvas}>
          <Canvas />
        </div>
        {panel === "source" && (
          <div className={styles.source}>
            <Suspense>
              <SourceView />
            </Suspense>
          </div>
        )}
      </div>
      <RunPanel />
    </section>
  );
}

function Versions() {
  const [panel] = usePanel();
  return panel === "history" ? (
    <Suspense>
      <VersionsPanel />
    </Suspense>
  ) : null;
}

const tabs: { tab: Tab; label: string }[] = [
  { tab: "canvas", label: "Canvas" },
  { tab: "steps", label: "Steps" },
  { tab: "settings", label: "Settings" },
];

interface FrameProps {
  centre: ReactNode;
  settings: ReactNode;
}

/** On a narrow screen one part at a time. All stay there, so that none forgets where it was. */
function NarrowFrame({ centre, settings }: FrameProps) {
  const view = useViewStore();
  const tab = useView((state) => state.tab);
  const name = useDesignerState((state) => state.document.name);
  return (
    <Tabs.Root className={styles.tabs} value={tab} onValueChange={(next: Tab) => view.getState().set({ tab: next })}>
      {/* The canvas has a toolbar with the page's heading. */}
      {tab !== "canvas" && <h1 className="visually-hidden">{name || "Unnamed workflow"}</h1>}
      <Tabs.List className={styles.tabList} aria-label="Parts of the designer">
        {tabs.map((each) => (
          <Tabs.Tab key={each.tab} value={each.tab} className={styles.tab}>
            {each.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value="canvas" keepMounted className={styles.tabPanel}>
        {centre}
      </Tabs.Panel>
      <Tabs.Panel value="steps" keepMounted className={styles.tabPanel}>
        <Suspense>
          <StepsList alone />
        </Suspense>
      </Tabs.Panel>
      <Tabs.Panel value="settings" keepMounted className={styles.tabPanel}>
        <SettingsSide alone>{settings}</SettingsSide>
      </Tabs.Panel>
      <Versions />
    </Tabs.Root>
  );
}

function WideFrame({ centre, settings }: FrameProps) {
  const stepsList = useView((state) => state.stepsList);
  const readOnly = useDesignerState((state) => state.readOnly);
  return (
    <div className={styles.designer}>
      {!readOnly && <Palette />}
      {centre}
      {stepsList && (
        <Suspense>
          <StepsList />
        </Suspense>
      )}
      <Versions />
      <SettingsSide>{settings}</SettingsSide>
    </div>
  );
}

function Room({ centre }: { centre: RefObject<HTMLElement | null> }) {
  useRoom(centre);
  return null;
}

/** Where the right to edit is missing nothing is edited, by whatever way. */
function useReadOnly(): boolean {
  const store = useDesignerStore();
  const readOnly = useWhyNot("edit") !== undefined;
  useLayoutEffect(() => store.setState({ readOnly }), [store, readOnly]);
  return readOnly;
}

function Frame({ onCreated }: Pick<DesignerProps, "onCreated">) {
  const name = useDesignerState((state) => state.document.name);
  const narrow = useNarrow();
  const element = useRef<HTMLElement>(null);
  const centre = useKept(<Centre ref={element} />);
  const unfolded = useView((state) => state.settings);
  const settings = useKept((narrow || unfolded) && <SettingsContent />);
  const FrameOfWidth = narrow ? NarrowFrame : WideFrame;
  useTitle(`${name || "New workflow"} · Designer`);
  useSaving(onCreated);
  useReadOnly();
  useStepInAddress();
  return (
    <>
      <FrameOfWidth centre={centre.place} settings={settings.place} />
      {centre.drawn}
      {settings.drawn}
      {!narrow && <Room centre={element} />}
      <DesignerDialogs />
    </>
  );
}

interface DesignerProps {
  /** What is edited at first; may differ from what is saved, such as a restored draft or an unsaved copy. */
  document: Definition;
  saved: Saved;
  /** The text of a document that was not saved yet, where there is one: its comments are saved with it. */
  text?: string;
  /** A new workflow was saved for the first time. */
  onCreated?: (id: string) => void;
}

/** The designer of one workflow, new or stored. Give it a key: another document needs another designer. */
export function Designer({ document, saved, text, onCreated }: DesignerProps) {
  const [store] = useState(() => {
    const made = createDesignerStore(document, saved);
    if (text !== undefined) void sessionOf(made).takeText(text);
    return made;
  });
  const [view] = useState(createViewStore);
  return (
    <DesignerContext.Provider value={store}>
      <ViewContext.Provider value={view}>
        <Frame onCreated={onCreated} />
      </ViewContext.Provider>
    </DesignerContext.Provider>
  );
}
