import { useMemo, useState } from "react";
import { hasEnded } from "../../../api/types";
import { Button } from "../../../components/Button";
import { StatusIcon } from "../../../components/StatusIcon";
import { useMedia } from "../../../components/useMedia";
import { useNow } from "../../../components/useNow";
import { capital } from "../../../lib/text";
import { duration, exactTime } from "../../../lib/time";
import type { StepRow } from "../../run/steps";
import { useRunPage } from "../context";
import {
  type Bar,
  barsOf,
  place,
  runBars,
  type Span,
  shownSpan,
  type Tick,
  ticksOf,
  wholeSpan,
} from "../model/timeline";
import { ColumnHead, PlacedRow, Row, RowCell, RowGroup, RowHead, RowTable } from "./RowTable";
import styles from "./Timeline.module.css";
import { useRows } from "./useRows";
import viewStyles from "./views.module.css";

type Zoom = "fit" | "minute";

/** How often the line of now moves, in milliseconds. */
const pace = 250;

/** When each step ran, on an axis of time. */
export function TimelineView() {
  const ended = hasEnded(useRunPage().run.result.status);
  return ended ? <Timeline now={0} /> : <Running />;
}

function Running() {
  return <Timeline now={useNow(pace)} />;
}

function Timeline({ now }: { now: number }) {
  const { run, rows: steps } = useRunPage();
  const { result } = run;
  const narrow = useMedia("(max-width: 720px)");
  const [zoom, setZoom] = useState<Zoom>("fit");
  const live = !hasEnded(result.status);
  const whole = wholeSpan(result, now);
  const span = shownSpan(whole, zoom);
  const ticks = ticksOf(span, whole.from, narrow ? 3 : 7);
  const places = useMemo(() => new Map(steps.map((row, index) => [row.result.step_id, index])), [steps]);
  const { scroller, rows, onKeyDown } = useRows(steps.length, (id) => places.get(id) ?? -1, narrow ? 52 : 36);
  return (
    <>
      <div className={viewStyles.tools}>
        <Button size="small" aria-pressed={zoom === "fit"} onClick={() => setZoom("fit")}>
          Whole run
        </Button>
        <Button size="small" aria-pressed={zoom === "minute"} onClick={() => setZoom("minute")}>
          Last minute
        </Button>
        <p className={styles.legend}>
          <span className={styles.sample} aria-hidden="true" /> waiting
        </p>
      </div>
      <RowTable
        ref={scroller}
        className={viewStyles.scroller}
        label="Timeline"
        rows={steps.length + 2}
        onKeyDown={onKeyDown}
      >
        <Axis ticks={ticks} span={span} origin={whole.from} now={now} />
        <RowGroup className={styles.body} style={{ height: rows.getTotalSize() }}>
          <Grid ticks={ticks} nowAt={live ? place({ from: now, to: now }, span)?.left : undefined} />
          {rows.getVirtualItems().map(({ index, start, size }) => (
            <StepBars
              key={steps[index]!.result.step_id}
              row={steps[index]!}
              index={index}
              top={start}
              height={size}
              span={span}
              origin={whole.from}
              now={now}
            />
          ))}
        </RowGroup>
      </RowTable>
    </>
  );
}

/** The marks of the axis, and the run itself. */
function Axis({
  ticks,
  span,
  origin,
  now,
}: Pick<StepBarsProps, "span" | "origin" | "now"> & { ticks: readonly Tick[] }) {
  const { run } = useRunPage();
  return (
    <RowGroup className={styles.axis}>
      <Row row={1} className={styles.axisRow}>
        <ColumnHead>Step</ColumnHead>
        <ColumnHead className={styles.track}>
          <span className="visually-hidden">When it ran</span>
          {ticks.map((tick) => (
            <span key={tick.at} className={styles.tick} style={{ left: `${tick.at}%` }} aria-hidden="true">
              {tick.label}
            </span>
          ))}
        </ColumnHead>
      </Row>
      <Row row={2} className={styles.whole}>
        <RowHead className={styles.name}>Whole run</RowHead>
        <RowCell className={styles.track}>
          {runBars(run.result, now).map((bar) => (
            <BarShape key={bar.attempt} bar={bar} span={span} origin={origin} attempts={1} />
          ))}
        </RowCell>
      </Row>
    </RowGroup>
  );
}

function Grid({ ticks, nowAt }: { ticks: readonly Tick[]; nowAt: number | undefined }) {
  return (
    <div className={styles.grid} aria-hidden="true">
      {ticks.map((tick) => (
        <span key={tick.at} className={styles.line} style={{ left: `${tick.at}%` }} />
      ))}
      {nowAt !== undefined && <span className={styles.now} data-now="" style={{ left: `${nowAt}%` }} />}
    </div>
  );
}

interface StepBarsProps {
  row: StepRow;
  index: number;
  top: number;
  height: number;
  span: Span;
  origin: number;
  now: number;
}

function StepBars({ row, index, top, height, span, origin, now }: StepBarsProps) {
  const { step, select } = useRunPage();
  const { result } = row;
  const id = result.step_id;
  const bars = barsOf(result, result.handler, now);
  return (
    <PlacedRow
      row={index + 3}
      index={index}
      top={top}
      height={height}
      className={styles.row}
      chosen={id === step}
      onClick={() => select(id)}
    >
      <RowHead className={styles.name} data-status={result.status}>
        <StatusIcon status={result.status} size={14} />
        <button
          type="button"
          data-row=""
          className={viewStyles.choose}
          aria-current={id === step || undefined}
          title={result.step_name}
        >
          {result.step_name}
        </button>
      </RowHead>
      <RowCell className={styles.track}>
        {bars.length === 0 && <span className={styles.none}>{capital(result.status)}</span>}
        {bars.map((bar) => (
          <BarShape
            key={`${bar.attempt} ${bar.waits}`}
            bar={bar}
            span={span}
            origin={origin}
            attempts={result.attempts}
          />
        ))}
      </RowCell>
    </PlacedRow>
  );
}

interface BarShapeProps {
  bar: Bar;
  span: Span;
  origin: number;
  attempts: number;
}

function BarShape({ bar, span, origin, attempts }: BarShapeProps) {
  const at = place(bar, span);
  const seconds = (bar.to - bar.from) / 1000;
  const words = [
    attempts > 1 ? `Attempt ${bar.attempt}: ${bar.status}` : capital(bar.status),
    bar.waits && bar.status !== "waiting" && "waited",
    bar.open ? `for ${duration(Math.floor(seconds))} so far` : duration(seconds),
    `from ${duration((bar.from - origin) / 1000)} after the beginning`,
  ];
  const text = words.filter(Boolean).join(", ");
  return (
    <>
      <span className="visually-hidden">{text}. </span>
      {at && (
        <span
          className={styles.bar}
          data-status={bar.status}
          data-waits={bar.waits || undefined}
          style={{ left: `${at.left}%`, width: `max(3px, ${at.width}%)` }}
          title={`${text}\n${exactTime(bar.from)}`}
          aria-hidden="true"
        />
      )}
      {at && (
        <span className={styles.label} style={labelPlace(at)} aria-hidden="true">
          {bar.open ? duration(Math.floor(seconds)) : duration(seconds)}
        </span>
      )}
    </>
  );
}

/** Behind the bar where there is room, else before it, else within. */
function labelPlace({ left, width }: { left: number; width: number }): React.CSSProperties {
  if (left + width < 84) return { left: `calc(${left + width}% + 8px)` };
  if (left > 16) return { right: `calc(${100 - left}% + 6px)` };
  return {
    right: `calc(${100 - left - width}% + 6px)`,
    padding: "0 5px",
    borderRadius: 3,
    background: "var(--surface)",
  };
}
