import { type CSSProperties, type RefObject, useLayoutEffect, useMemo, useState } from "react";
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
  type Zoom,
} from "../model/timeline";
import { ColumnHead, PlacedRow, Row, RowCell, RowGroup, RowHead, RowTable } from "./RowTable";
import styles from "./Timeline.module.css";
import { useRows } from "./useRows";
import viewStyles from "./views.module.css";

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

/** What of the table's width is no track, in pixels; as the style sheet has it. */
const besideTrack = { wide: 242, narrow: 28 };

/** How wide the tracks are, in pixels; 0 before anything is drawn. */
function useTrack(scroller: RefObject<HTMLElement | null>, narrow: boolean): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => setWidth(element.clientWidth);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller]);
  return Math.max(0, width - (narrow ? besideTrack.narrow : besideTrack.wide));
}

function Timeline({ now }: { now: number }) {
  const { run, rows: steps } = useRunPage();
  const { result } = run;
  const narrow = useMedia("(max-width: 720px)");
  const [zoom, setZoom] = useState<Zoom>("fit");
  const live = !hasEnded(result.status);
  const origin = new Date(result.created_at).getTime();
  const span = shownSpan(result, zoom, now);
  const ticks = ticksOf(span, origin, narrow ? 3 : 7);
  // Where the clock of this machine is behind that of the server, now is not before the run began.
  const line = Math.max(now, origin);
  const places = useMemo(() => new Map(steps.map((row, index) => [row.result.step_id, index])), [steps]);
  const { scroller, rows, onKeyDown } = useRows(steps.length, (id) => places.get(id) ?? -1, narrow ? 52 : 36);
  const track = useTrack(scroller, narrow);
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
        <Axis ticks={ticks} span={span} origin={origin} now={now} track={track} />
        <RowGroup className={styles.body} style={{ height: rows.getTotalSize() }}>
          <Grid ticks={ticks} nowAt={live ? place({ from: line, to: line }, span)?.left : undefined} />
          {rows.getVirtualItems().map(({ index, start, size }) => (
            <StepBars
              key={steps[index]!.result.step_id}
              row={steps[index]!}
              index={index}
              top={start}
              height={size}
              span={span}
              origin={origin}
              now={now}
              track={track}
              narrow={narrow}
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
  track,
}: Pick<StepBarsProps, "span" | "origin" | "now" | "track"> & { ticks: readonly Tick[] }) {
  const { run } = useRunPage();
  const { status } = run.result;
  const bars = runBars(run.result, now);
  return (
    <RowGroup className={styles.axis}>
      <Row row={1} className={styles.axisRow}>
        <ColumnHead>Step</ColumnHead>
        <ColumnHead className={styles.track}>
          <span className="visually-hidden">When it ran</span>
          {ticks.map((tick) => (
            <span
              key={tick.at}
              className={styles.tick}
              data-edge={tick.at < 2 ? "start" : tick.at > 96 ? "end" : undefined}
              style={{ left: `${tick.at}%` }}
              aria-hidden="true"
            >
              {tick.label}
            </span>
          ))}
        </ColumnHead>
      </Row>
      <Row row={2} className={styles.whole}>
        <RowHead className={styles.name} data-status={status}>
          <StatusIcon status={status} size={14} /> Whole run
        </RowHead>
        <RowCell className={styles.track}>
          {bars.map((bar) => (
            <BarShape key={bar.attempt} bar={bar} span={span} origin={origin} attempts={1} />
          ))}
          <Label text={labelOf(bars, status, 1)} bars={bars} span={span} track={track} />
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
  /** The width of the track in pixels. */
  track: number;
  /** The label stands beside the name, as the track has no room for it. */
  narrow: boolean;
}

function StepBars({ row, index, top, height, span, origin, now, track, narrow }: StepBarsProps) {
  const { step, select } = useRunPage();
  const { result } = row;
  const id = result.step_id;
  const bars = barsOf(result, result.handler, now);
  const label = labelOf(bars, result.status, result.attempts);
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
        {narrow && (
          <span className={styles.said} data-label="" aria-hidden="true">
            {label}
          </span>
        )}
      </RowHead>
      <RowCell className={styles.track}>
        {bars.length === 0 && <span className="visually-hidden">{capital(result.status)}</span>}
        {bars.map((bar) => (
          <BarShape
            key={`${bar.attempt} ${bar.waits}`}
            bar={bar}
            span={span}
            origin={origin}
            attempts={result.attempts}
          />
        ))}
        {!narrow && <Label text={label} bars={bars} span={span} track={track} />}
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
    </>
  );
}

/** What came of it and how long that took, in the words that stand beside the bars. */
function labelOf(bars: readonly Bar[], status: string, attempts: number): string {
  const last = bars.at(-1);
  if (!last) return capital(status);
  const seconds = (last.to - last.from) / 1000;
  return [
    capital(last.status),
    attempts > 1 && `attempt ${last.attempt}`,
    duration(last.open ? Math.floor(seconds) : seconds),
  ]
    .filter(Boolean)
    .join(" · ");
}

interface LabelProps extends Pick<StepBarsProps, "span" | "track"> {
  text: string;
  bars: readonly Bar[];
}

/** The words of a row, which its cell says to screen readers in full. */
function Label({ text, bars, span, track }: LabelProps) {
  return (
    <span className={styles.label} data-label="" style={labelPlace(bars, span, text.length, track)} aria-hidden="true">
      {text}
    </span>
  );
}

/** About how wide a letter of a label is, and the room around it, in pixels. */
const letter = 6.6;
const around = 16;

/** Behind the bars where there is room, else before them, else within the last one. */
function labelPlace(bars: readonly Bar[], span: Span, letters: number, track: number): CSSProperties {
  const places = bars.map((bar) => place(bar, span)).filter((at) => at !== undefined);
  if (places.length === 0) return { left: 0 };
  const first = Math.min(...places.map(({ left }) => left));
  const end = Math.max(...places.map(({ left, width }) => left + width));
  const wanted = track > 0 ? (100 * (letters * letter + around)) / track : 0;
  if (end + wanted <= 100) return { left: `calc(${end}% + 8px)` };
  if (first >= wanted) return { right: `calc(${100 - first}% + 6px)` };
  return {
    right: `calc(${100 - end}% + 4px)`,
    padding: "1px 6px",
    borderRadius: 3,
    background: "var(--surface)",
  };
}
