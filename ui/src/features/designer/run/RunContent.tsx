import { ChevronDown, ChevronUp, ExternalLink, Lock, X } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { useWhyNot } from "../../../api/role";
import { hasEnded, type StepDefinition, type StepResult } from "../../../api/types";
import { Button, IconButton, LinkButton } from "../../../components/Button";
import { StatusIcon } from "../../../components/StatusIcon";
import { StatusPill } from "../../../components/StatusPill";
import { useNow } from "../../../components/useNow";
import { capital, count } from "../../../lib/text";
import { clockTime, duration, secondsBetween } from "../../../lib/time";
import { orderOf } from "../../graph/order";
import { CancelDialog } from "../../run/CancelDialog";
import type { Run } from "../../run/fold";
import { LogText } from "../../run/LogText";
import { stepNote } from "../../run/steps";
import { useRunAnnounced } from "../../run/useRunAnnounced";
import { useDesignerState, useDesignerStore } from "../context";
import { useEditingLock, useRun, useRunState } from "../live";
import styles from "./RunContent.module.css";

const heights = { least: 120, first: 240, step: 40 };

function most(): number {
  return Math.max(heights.least, Math.round(globalThis.innerHeight * 0.6));
}

function Elapsed({ since }: { since: string }) {
  const now = useNow(1000);
  return <>{duration(secondsBetween(since, null, now))}</>;
}

function Seconds({ step }: { step: StepResult }) {
  if (step.completed_at) return <>{duration(step.execution_time)}</>;
  return step.started_at && !hasEnded(step.status) ? <Elapsed since={step.started_at} /> : null;
}

function StepRow({ id }: { id: string }) {
  const { shown } = useRun();
  const store = useDesignerStore();
  const step = useRunState((state) => state.run?.result.step_results[id]);
  const saying = useRunState((state) => state.run?.saying[id]);
  const selected = useDesignerState((state) => state.selection.has(id));
  if (!step) return null;
  const note = stepNote(step, shown, saying);
  return (
    <li>
      <button
        type="button"
        className={styles.step}
        data-status={step.status}
        aria-current={selected ? "true" : undefined}
        onClick={() => store.getState().select([id])}
      >
        <StatusIcon status={step.status} size={14} />
        <span className={styles.stepName}>{step.step_name || id}</span>
        <span className={styles.word}>{capital(step.status)}</span>
        <span className={styles.time}>
          <Seconds step={step} />
        </span>
        {note && <span className={styles.message}>{note}</span>}
      </button>
    </li>
  );
}

function Logs() {
  const run = useRun();
  const { lines, dropped } = useStore(run.logs);
  const list = useRef<HTMLDivElement>(null);
  const [follow, setFollow] = useState(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it scrolls when lines come.
  useEffect(() => {
    if (follow && list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [lines, follow]);
  return (
    <div
      ref={list}
      className={styles.logs}
      role="log"
      aria-label="Log, newest lines"
      aria-live="off"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
      tabIndex={0}
      onScroll={(event) => {
        const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
        setFollow(scrollHeight - scrollTop - clientHeight < 24);
      }}
    >
      {dropped > 0 && <p className={styles.dropped}>{count(dropped, "earlier line")} on the execution's page.</p>}
      {lines.length === 0 && <p className={styles.dropped}>No log line yet.</p>}
      {lines.map((line) => (
        <p key={line.seq} className={styles.line} data-level={line.level}>
          <span className={styles.stamp}>{clockTime(line.timestamp)}</span>
          <span className={styles.who}>{line.step_id}</span>
          {line.level !== "info" && <span className={styles.level}>{line.level}</span>}
          <span className={styles.text}>
            <LogText text={run.shown.text(line.message)} />
          </span>
        </p>
      ))}
    </div>
  );
}

function Handle({ height, onChange }: { height: number; onChange: (height: number) => void }) {
  const clamp = (next: number) => onChange(Math.min(Math.max(next, heights.least), most()));
  const press = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ArrowUp: height + heights.step,
      ArrowDown: height - heights.step,
      Home: heights.least,
      End: most(),
    };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    clamp(next);
  };
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    const from = event.clientY;
    const move = (moved: globalThis.PointerEvent) => clamp(height + from - moved.clientY);
    const target = event.currentTarget;
    target.addEventListener("pointermove", move);
    target.addEventListener("lostpointercapture", () => target.removeEventListener("pointermove", move), {
      once: true,
    });
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that can be moved is no <hr>.
    <div
      className={styles.handle}
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height of the run"
      aria-valuemin={heights.least}
      aria-valuemax={most()}
      aria-valuenow={height}
      tabIndex={0}
      onKeyDown={press}
      onPointerDown={drag}
    />
  );
}

function Progress({ run }: { run: Run }) {
  const { total_steps, completed_steps, failed_steps, skipped_steps } = run.result.progress;
  const settled = completed_steps + failed_steps + skipped_steps;
  return (
    <span className={styles.progress}>
      <progress aria-label="Steps that ended" max={total_steps} value={settled} />
      {settled} of {total_steps}
      {failed_steps > 0 && `, ${failed_steps} failed`}
      {skipped_steps > 0 && `, ${skipped_steps} skipped`}
    </span>
  );
}

function Facts({ run }: { run: Run }) {
  const { status, total_time, started_at, created_at, workflow_revision } = run.result;
  return (
    <span className={styles.facts}>
      {hasEnded(status) ? duration(total_time) : <Elapsed since={started_at ?? created_at} />} · version{" "}
      {workflow_revision}
      {run.cancelling && " · cancelling"}
    </span>
  );
}

function Head({ open, onToggle }: { open: boolean; onToggle: () => void }) {
  const session = useRun();
  const { id, run, lost, refused } = useRunState((state) => state);
  const lock = useEditingLock();
  const mayNot = useWhyNot("control");
  const ended = run !== null && hasEnded(run.result.status);
  const steps = useDesignerState((state) => state.document.steps);
  const [asks, setAsks] = useState(false);
  const error = run?.result.error?.message;
  // Why it waits or was paused is nothing that went wrong.
  const said = error ?? run?.result.status_reason;
  return (
    <header className={styles.head}>
      <h2>Execution</h2>
      {run && <StatusPill status={run.result.status} />}
      {run && <Progress run={run} />}
      {run && <Facts run={run} />}
      {lost && !ended && <span className={styles.facts}>Connection lost, trying again</span>}
      {refused && <span className={styles.failed}>{refused}</span>}
      {said && <span className={error ? styles.failed : styles.facts}>{session.shown.note(said)}</span>}
      <span className={styles.actions}>
        {run && !ended && !run.cancelling && (
          <Button size="small" kind="quiet" why={mayNot} onClick={() => setAsks(true)}>
            Cancel execution
          </Button>
        )}
        <LinkButton size="small" kind="quiet" icon={<ExternalLink />} href={`/executions/${id}`}>
          Open as page
        </LinkButton>
        <Button size="small" icon={<X />} onClick={() => session.stop()}>
          Stop following
        </Button>
        <IconButton
          size="small"
          label={open ? "Collapse" : "Expand"}
          icon={open ? <ChevronDown /> : <ChevronUp />}
          aria-expanded={open}
          onClick={onToggle}
        />
      </span>
      {lock && (
        <p className={styles.lock}>
          <Lock size={13} aria-hidden="true" /> {lock.reason}
        </p>
      )}
      {asks && run && <CancelDialog result={run.result} definition={{ steps }} onClose={() => setAsks(false)} />}
    </header>
  );
}

/** Says in words from time to time where the run is. */
function Spoken() {
  useRunAnnounced(
    useRunState((state) => state.run?.result),
    { opening: true },
  );
  return null;
}

/** The steps of a run in the order of the document; those that it has no more come last. */
function listed(document: readonly StepDefinition[], results: Record<string, unknown> | undefined): string[] {
  if (!results) return [];
  const known = orderOf(document).ids.filter((id) => id in results);
  return [...known, ...Object.keys(results).filter((id) => !known.includes(id))];
}

/** Progress, steps and the newest log lines of the followed run, below the canvas. */
export default function RunContent() {
  const steps = useRunState((state) => state.run?.result.step_results);
  const order = useDesignerState((state) => state.document.steps);
  const [open, setOpen] = useState(true);
  const [height, setHeight] = useState(heights.first);
  return (
    <section className={styles.panel} aria-label="Execution" style={open ? { height } : undefined}>
      {open && <Handle height={height} onChange={setHeight} />}
      <Head open={open} onToggle={() => setOpen(!open)} />
      <Spoken />
      {open && (
        <div className={styles.body}>
          <ol className={styles.steps} aria-label="Steps of the execution">
            {listed(order, steps).map((step) => (
              <StepRow key={step} id={step} />
            ))}
          </ol>
          <Logs />
        </div>
      )}
    </section>
  );
}
