import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ChartNoAxesGantt, ListTree, Network } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { accountQuery, keys } from "../../api/queries";
import { type Definition, type Execution, hasEnded } from "../../api/types";
import { Card } from "../../components/Card";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Page } from "../../components/Page";
import { Tabs } from "../../components/Tabs";
import { useMedia } from "../../components/useMedia";
import { useUrl } from "../../components/useUrl";
import { capital } from "../../lib/text";
import { progressText } from "../run/announce";
import { shownOf } from "../run/shown";
import { stepRows, stepToOpen } from "../run/steps";
import { Announcements } from "./Announcements";
import { Banners } from "./Banners";
import { type RunDialog, RunPageContext, type RunPageState } from "./context";
import { Dialogs } from "./dialogs/Dialogs";
import styles from "./ExecutionPage.module.css";
import { Facts } from "./Facts";
import { useLiveRun, useRun } from "./liveRun";
import { LogsPanel } from "./logs/LogsPanel";
import { allowedNow, refusalsOf } from "./model/allowed";
import { type Refused, RunActions } from "./RunActions";
import { StepPanel } from "./step/StepPanel";
import { RunGraph } from "./views/RunGraph";
import { StepsView } from "./views/StepsView";
import { TimelineView } from "./views/TimelineView";

type View = "graph" | "timeline" | "steps";

const defaults = { view: "", step: "" };
/** Wide enough for the chosen step to stand beside the views. */
export const wideQuery = "(min-width: 1080px)";

interface RunPageProps {
  result: Execution;
  definition: Definition | undefined;
  definitionError: unknown;
}

/** The page of one run, which it follows while it lives. */
export function RunPage({ result, definition, definitionError }: RunPageProps) {
  const id = result.execution_id;
  const queries = useQueryClient();
  const role = useQuery(accountQuery).data?.role;
  const live = useLiveRun(result);
  const run = useRun(live);
  const [url, setUrl] = useUrl(defaults);
  const wide = useMedia(wideQuery);
  const [dialog, setDialog] = useState<{ name: RunDialog; step?: string }>();
  const [logStep, setLogStep] = useState("");
  const [notDone, setNotDone] = useState<Refused>();

  const rows = useMemo(() => stepRows(run.result, definition), [run.result, definition]);
  const allowed = useMemo(() => allowedNow(run), [run]);
  const refused = useMemo(() => refusalsOf(role), [role]);
  const shown = useMemo(() => shownOf(definition), [definition]);

  // The next visit begins where this one ended, and not with what was older.
  const latest = useRef(run.result);
  latest.current = run.result;
  useEffect(() => () => void queries.setQueryData(keys.execution(id), latest.current), [queries, id]);

  const select = useCallback((step: string | null) => setUrl({ step: step ?? "" }), [setUrl]);
  const ended = hasEnded(run.result.status);
  const opens = definition && wide ? stepToOpen(run.result, rows) : undefined;
  const opened = useRef(false);
  useEffect(() => {
    if (opened.current || !ended || !definition) return;
    opened.current = true;
    if (opens && !url.step) select(opens);
  }, [ended, definition, opens, url.step, select]);

  const state: RunPageState = {
    id,
    live,
    run,
    definition,
    rows,
    allowed,
    refused,
    step: url.step && run.result.step_results[url.step] ? url.step : undefined,
    select,
    showLog: setLogStep,
    ask: useCallback((name, step) => setDialog({ name, step }), []),
    shown,
  };
  const view: View =
    url.view === "timeline" || url.view === "steps" || url.view === "graph" ? url.view : wide ? "graph" : "steps";

  return (
    <RunPageContext.Provider value={state}>
      <Page
        title={run.result.workflow_name}
        documentTitle={`${capital(run.result.status)}: ${run.result.workflow_name}`}
        wide
        subtitle={<span className={styles.id}>{id}</span>}
        actions={<RunActions onRefused={setNotDone} />}
      >
        {notDone && <ErrorNotice {...notDone} onClose={() => setNotDone(undefined)} />}
        <Facts />
        <Banners definitionError={definitionError} />
        <div className={styles.columns} data-panel={wide && state.step ? "" : undefined}>
          <div className={styles.main}>
            <Card className={styles.views}>
              <Tabs<View>
                label="Views of this execution"
                value={view}
                onChange={(next) => setUrl({ view: next })}
                aside={progressText(run.result)}
                tabs={[
                  { value: "graph", label: "Graph", icon: <Network />, panel: () => <RunGraph /> },
                  { value: "timeline", label: "Timeline", icon: <ChartNoAxesGantt />, panel: () => <TimelineView /> },
                  { value: "steps", label: "Steps", icon: <ListTree />, panel: () => <StepsView /> },
                ]}
              />
            </Card>
            <LogsPanel step={logStep} onStep={setLogStep} />
          </div>
          <StepPanel beside={wide} />
        </div>
        <Announcements />
        <Dialogs asked={dialog?.name} step={dialog?.step} onClose={() => setDialog(undefined)} />
      </Page>
    </RunPageContext.Provider>
  );
}
