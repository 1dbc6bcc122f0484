import { ChevronDown, ChevronUp, ExternalLink, X } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useSearchParams } from "wouter";
import { useStore } from "zustand";
import { cancelExecution } from "../../../api/actions";
import { hasEnded } from "../../../api/types";
import { Button, IconButton, LinkButton } from "../../../components/Button";
import { tell } from "../../../components/ErrorNotice";
import { StatusIcon } from "../../../components/StatusIcon";
import { StatusPill } from "../../../components/StatusPill";
import { toast } from "../../../components/toast";
import { useNow } from "../../../components/useNow";
import { capital, count } from "../../../lib/text";
import { clockTime, duration, secondsBetween } from "../../../lib/time";
import { useDesignerState, useDesignerStore } from "../context";
import { useRun, useRunState } from "../live";
import styles from "./RunPanel.module.css";

const heights = { least: 120, first: 240, step: 40 };

function most(): number {
  return Math.max(heights.least, Math.round(globalThis.innerHeight * 0.6));
}

function Elapsed({ since }: { since: string }) {
  const now = useNow(1000);
  return <>{duration(secondsBetween(since, null, now))}</>;
}

function StepRow({ id }: { id: string }) {
  const run = useRun();
  const store = useDesignerStore();
  const step = useSyncExternalStore(
    (listener) => run.subscribe(id, listener),
    () => run.step(id),
  );
  const selected = useDesignerState((state) => state.selection.has(id));
  if (!step) return null;
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
        <span className={styles.stepName}>{step.name}</span>
        <span className={styles.word}>
          {capital(step.status)}
          {step.status === "running" && step.percentage !== undefined && ` ${Math.round(step.percentage)} %`}
        </span>
        <span className={styles.time}>
          {step.duration !== undefined
            ? duration(step.duration)
            : step.startedAt && step.status === "running" && <Elapsed since={step.startedAt} />}
        </span>
        {step.message && <span className={styles.message}>{step.message}</span>}
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
          <span className={styles.text}>{line.message}</span>
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

function Head({ open, onToggle }: { open: boolean; onToggle: () => void }) {
  const run = useRun();
  const { id, status, revision, startedAt, total, progress, error, lost, refused } = useRunState((state) => state);
  const ended = hasEnded(status);
  const cancel = () =>
    cancelExecution(id!).catch((cause: unknown) => {
      const { title, remedy } = tell(cause, "The execution could not be cancelled");
      toast({ title, description: remedy, kind: "error" });
    });
  const settled = progress ? progress.completed_steps + progress.failed_steps + progress.skipped_steps : 0;
  return (
    <header className={styles.head}>
      <h2>Execution</h2>
      <StatusPill status={status} />
      {progress && (
        <span className={styles.progress}>
          <progress aria-label="Steps done" max={progress.total_steps} value={settled} />
          {settled} of {progress.total_steps}
          {progress.failed_steps > 0 && `, ${progress.failed_steps} failed`}
        </span>
      )}
      <span className={styles.facts}>
        {total !== null ? duration(total) : startedAt && <Elapsed since={startedAt} />}
        {revision > 0 && ` · version ${revision}`}
        {lost && " · connection lost, trying again"}
        {refused && ` · ${refused}`}
      </span>
      {error && <span className={styles.failed}>{error}</span>}
      <span className={styles.actions}>
        {!ended && (
          <Button size="small" kind="quiet" onClick={() => void cancel()}>
            Cancel execution
          </Button>
        )}
        <LinkButton size="small" kind="quiet" icon={<ExternalLink />} href={`/executions/${id}`}>
          Open as page
        </LinkButton>
        <Button size="small" icon={<X />} onClick={() => run.stop()}>
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
    </header>
  );
}

/** Says the state in words from time to time, for those who don't see it. */
function Announcer() {
  const status = useRunState((state) => state.status);
  const progress = useRunState((state) => state.progress);
  const [said, setSaid] = useState("");
  const latest = useRef("");
  const ended = hasEnded(status);
  latest.current = progress
    ? `${capital(status)}: ${progress.completed_steps} of ${progress.total_steps} done${progress.failed_steps > 0 ? `, ${progress.failed_steps} failed` : ""}`
    : capital(status);
  useEffect(() => {
    setSaid(latest.current);
    if (ended) return;
    const timer = setInterval(() => setSaid(latest.current), 3000);
    return () => clearInterval(timer);
  }, [ended]);
  return (
    <p className="visually-hidden" role="status">
      {said}
    </p>
  );
}

/** The run that the designer follows: progress, steps and logs. Nothing while none is. */
export function RunPanel() {
  const run = useRun();
  const id = useRunState((state) => state.id);
  const order = useRunState((state) => state.order);
  const [search, setSearch] = useSearchParams();
  const [open, setOpen] = useState(true);
  const [height, setHeight] = useState(heights.first);
  const asked = search.get("execution");

  // The followed execution is part of the address, so that a reload goes on with it.
  useEffect(() => {
    if (asked && run.state.getState().id === null) run.follow(asked);
  }, [asked, run]);
  useEffect(
    () =>
      run.state.subscribe((now, before) => {
        if (now.id === before.id) return;
        setSearch(
          (params) => {
            const next = new URLSearchParams(params);
            if (now.id) next.set("execution", now.id);
            else {
              next.delete("execution");
              if (next.get("panel") === "run") next.delete("panel");
            }
            return next;
          },
          { replace: true },
        );
      }),
    [run, setSearch],
  );
  useEffect(() => () => run.stop(), [run]);

  if (id === null) return null;
  return (
    <section className={styles.panel} aria-label="Execution" style={open ? { height } : undefined}>
      {open && <Handle height={height} onChange={setHeight} />}
      <Head open={open} onToggle={() => setOpen(!open)} />
      <Announcer />
      {open && (
        <div className={styles.body}>
          <ol className={styles.steps} aria-label="Steps of the execution">
            {order.map((step) => (
              <StepRow key={step} id={step} />
            ))}
          </ol>
          <Logs />
        </div>
      )}
    </section>
  );
}
