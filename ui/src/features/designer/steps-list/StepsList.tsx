import { useVirtualizer } from "@tanstack/react-virtual";
import { CircleAlert, Ellipsis, Search, TriangleAlert } from "lucide-react";
import { type KeyboardEvent, memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { StepDefinition } from "../../../api/types";
import { useAnnounced } from "../../../components/announce";
import { IconButton } from "../../../components/Button";
import { cx } from "../../../components/cx";
import { fieldStyles } from "../../../components/Field";
import { Menu } from "../../../components/Menu";
import { StatusPill } from "../../../components/StatusPill";
import { count, listed, matches } from "../../../lib/text";
import { inOrder } from "../../graph/elements";
import { type Handlers, lookOf, useHandlers } from "../../graph/handlers";
import { HandlerIcon } from "../../graph/icons";
import { openSettings, stepMenu, useMenuMeans } from "../canvas/StepMenu";
import { distance } from "../canvas/useCanvasKeys";
import { nextAfterRemoval } from "../commands";
import { useDesignerState } from "../context";
import { useStepStatus } from "../live";
import { useStepProblems } from "../problems";
import { SidePanel } from "../SidePanel";
import { useTabOfFocus, useViewStore } from "../view";
import styles from "./StepsList.module.css";

const rowHeight = 56;

interface RowProps {
  step: StepDefinition;
  handlers: Handlers | undefined;
  number: number;
  of: number;
  selected: boolean;
  /** The one row that Tab reaches. */
  tabStop: boolean;
  top: number;
  onChoose: (id: string, add: boolean) => void;
  onFocusRow: (id: string) => void;
}

function Problems({ id }: { id: string }) {
  const problems = useStepProblems(id);
  const errors = problems.filter((problem) => problem.severity === "error").length;
  if (problems.length === 0) return null;
  return (
    <span className={styles.problems} data-status={errors > 0 ? "failed" : "skipped"}>
      {errors > 0 ? <CircleAlert size={13} aria-hidden="true" /> : <TriangleAlert size={13} aria-hidden="true" />}
      {errors > 0 ? count(errors, "problem") : count(problems.length, "warning")}
    </span>
  );
}

const Row = memo(function Row({ step, handlers, number, of, selected, tabStop, top, onChoose, onFocusRow }: RowProps) {
  const means = useMenuMeans();
  const status = useStepStatus(step.id);
  const look = lookOf(step, handlers);
  const waits = step.dependencies ?? [];
  return (
    <li
      className={cx(styles.row, selected && styles.selected)}
      style={{ transform: `translateY(${top}px)` }}
      aria-setsize={of}
      aria-posinset={number}
    >
      <button
        type="button"
        className={styles.step}
        data-list-step={step.id}
        aria-pressed={selected}
        tabIndex={tabStop ? 0 : -1}
        onFocus={() => onFocusRow(step.id)}
        onClick={(event) => onChoose(step.id, event.shiftKey || event.ctrlKey || event.metaKey)}
        onDoubleClick={() => openSettings(step.id, means)}
      >
        <span className={styles.number}>{number}</span>
        <span className={cx(styles.icon, look.unknown && styles.unknown)}>
          <HandlerIcon name={look.unknown ? "circle-alert" : look.icon} size={15} />
        </span>
        <span className={styles.texts}>
          <span className={styles.title}>{look.title}</span>
          <span className={styles.second}>
            <code>{step.id}</code>
            {look.unknown && <span>Unknown step</span>}
            {step.enabled === false && <span>Off</span>}
            <Problems id={step.id} />
          </span>
          <span className="visually-hidden">
            , {waits.length > 0 ? `depends on ${listed(waits)}` : "depends on nothing"}
          </span>
        </span>
        {status && <StatusPill status={status.status} size="small" />}
      </button>
      <Menu
        trigger={
          <IconButton
            label={`Commands for ${look.title}, ${step.id}`}
            size="small"
            icon={<Ellipsis />}
            tabIndex={tabStop ? 0 : -1}
          />
        }
        groups={stepMenu(new Set([step.id]), means)}
      />
    </li>
  );
});

/** Rows that match, with the number each has in the order of execution. */
function useRows(query: string, handlers: Handlers | undefined) {
  const steps = useDesignerState((state) => state.document.steps);
  return useMemo(() => {
    const all = inOrder(steps).map((step, i) => ({ step, number: i + 1 }));
    const rows = query.trim()
      ? all.filter(({ step }) =>
          matches(query, step.id, lookOf(step, handlers).title, step.handler, step.description, step.type),
        )
      : all;
    return { rows, total: all.length };
  }, [steps, query, handlers]);
}

function Content() {
  const view = useViewStore();
  const means = useMenuMeans();
  const { store, commands } = means;
  const handlers = useHandlers();
  const selection = useDesignerState((state) => state.selection);
  const [query, setQuery] = useState("");
  const [active, setActive] = useState<string | null>(null);
  const { rows, total } = useRows(query, handlers);
  const shown = query.trim() ? `${rows.length} of ${count(total, "step")}` : count(total, "step");
  useAnnounced(shown);
  const list = useRef<HTMLDivElement>(null);
  const wanted = useRef<string | null>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => list.current,
    estimateSize: () => rowHeight,
    overscan: 6,
    getItemKey: (i) => rows[i]!.step.id,
  });
  const [only] = selection.size === 1 ? selection : [];
  const indexOf = (id: string | null | undefined) => rows.findIndex(({ step }) => step.id === id);
  const stop = rows[Math.max(indexOf(active), indexOf(active) < 0 ? indexOf(only) : 0, 0)]?.step.id;

  // The row of the step that was chosen elsewhere comes into view.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a choice scrolls, not a change of the rows.
  useEffect(() => {
    const at = indexOf(only);
    if (at >= 0 && !list.current?.contains(document.activeElement)) virtual.scrollToIndex(at, { align: "auto" });
  }, [only]);
  // A row that is out of view gets the focus as soon as it is drawn.
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const row = list.current?.querySelector<HTMLElement>(`[data-list-step="${CSS.escape(wanted.current)}"]`);
    if (!row) return;
    wanted.current = null;
    row.focus();
  });

  const focusRow = (id: string | undefined) => {
    if (id === undefined) return;
    wanted.current = id;
    setActive(id);
    virtual.scrollToIndex(indexOf(id), { align: "auto" });
  };
  const onChoose = (id: string, add: boolean) => {
    const { selection: before, select } = store.getState();
    if (add) select(before.has(id) ? [...before].filter((other) => other !== id) : [...before, id]);
    else select([id]);
    view.getState().canvas?.reveal(id);
  };
  const latest = useRef(onChoose);
  latest.current = onChoose;
  const [choose] = useState(() => (id: string, add: boolean) => latest.current(id, add));

  const onKeyDown = (event: KeyboardEvent) => {
    const id = (event.target as HTMLElement).closest<HTMLElement>("[data-list-step]")?.dataset.listStep;
    if (id === undefined) return;
    const targets = selection.has(id) ? selection : new Set([id]);
    const at = indexOf(id);
    const moves: { [key: string]: number } = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: Math.min(at + 10, rows.length - 1),
      PageUp: Math.max(at - 10, 0),
      Home: 0,
      End: rows.length - 1,
    };
    const mod = event.ctrlKey || event.metaKey;
    const by = event.altKey && !mod ? distance(event.key, event.shiftKey) : null;
    if (by) commands.move(targets, by, "keys");
    else if (event.key in moves && !event.altKey && !mod) focusRow(rows[moves[event.key]!]?.step.id);
    else if (event.key === "Delete" || event.key === "Backspace") {
      const next = nextAfterRemoval(store.getState().document, targets);
      commands.remove(targets);
      if (next !== null) setTimeout(() => focusRow(next));
    } else if (event.key === "Enter") openSettings(id, means);
    else if (mod && event.key.toLowerCase() === "d") commands.duplicate(targets);
    else if (mod && event.key.toLowerCase() === "a") commands.selectAll();
    else return;
    event.preventDefault();
  };

  return (
    <div className={styles.list}>
      <div className={styles.head}>
        <h2>Steps</h2>
        <span className={styles.count}>{shown}</span>
      </div>
      <div className={styles.search}>
        <Search size={16} aria-hidden="true" />
        <input
          className={fieldStyles.control}
          type="search"
          aria-label="Search the list of steps"
          placeholder="Search by name, id or type"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") {
              event.preventDefault();
              focusRow(rows[0]?.step.id);
            }
          }}
        />
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys of the buttons within. */}
      <div ref={list} className={styles.scroll} onKeyDown={onKeyDown}>
        {rows.length === 0 && (
          <p className={styles.nothing}>{total === 0 ? "No steps yet." : `Nothing matches “${query.trim()}”.`}</p>
        )}
        <ul style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const { step, number } = rows[index]!;
            return (
              <Row
                key={step.id}
                step={step}
                handlers={handlers}
                number={number}
                of={total}
                selected={selection.has(step.id)}
                tabStop={step.id === stop}
                top={start}
                onChoose={choose}
                onFocusRow={setActive}
              />
            );
          })}
        </ul>
      </div>
    </div>
  );
}

/** Every step, in the order of execution, with all commands: what the canvas shows, as a list. */
export default function StepsList({ alone }: { alone?: boolean }) {
  const view = useViewStore();
  return (
    <SidePanel
      side="right"
      label="List of steps"
      name="steps-list"
      width={{ first: 300, least: 240, most: 520 }}
      open
      onOpenChange={(stepsList) => view.getState().set({ stepsList })}
      alone={alone}
      onFocus={useTabOfFocus("steps")}
    >
      <Content />
    </SidePanel>
  );
}
