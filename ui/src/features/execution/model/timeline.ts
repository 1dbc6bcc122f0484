// The bars of the timeline: when each attempt of a step ran, and when it only
// waited. Times are milliseconds.
import { type Execution, hasEnded, type StepResult } from "../../../api/types";
import { duration } from "../../../lib/time";

export interface Bar {
  from: number;
  to: number;
  status: string;
  /** The step only waited, for a person, a time or another run. */
  waits: boolean;
  attempt: number;
  /** It goes on: its end is now. */
  open: boolean;
}

export interface Span {
  from: number;
  to: number;
}

const waitingHandlers = new Set(["flow.approval", "flow.wait", "flow.signal", "flow.workflow"]);

type Unit = Pick<StepResult, "status" | "started_at" | "completed_at" | "waiting" | "attempts"> &
  Partial<Pick<StepResult, "attempt_list">>;

const ms = (time: string) => new Date(time).getTime();

/** One bar for each attempt of a step, or of an item of one, and for each wait behind an attempt. */
export function barsOf(unit: Unit, handler: string, now: number): Bar[] {
  return withGaps(attemptBars(unit, handler, now), unit, now);
}

/** Puts in the waits for the next attempt, or for a decision. */
function withGaps(bars: Bar[], unit: Unit, now: number): Bar[] {
  const pending = unit.status === "retrying" || unit.status === "interrupted";
  return bars.flatMap((bar, index) => {
    const next = bars[index + 1];
    const from = bar.to;
    const to = next ? next.from : pending ? now : from;
    if (bar.open || to <= from) return [bar];
    const status = bar.status === "interrupted" ? "interrupted" : "retrying";
    return [bar, { from, to, status, waits: true, attempt: bar.attempt, open: !next }];
  });
}

function attemptBars(unit: Unit, handler: string, now: number): Bar[] {
  const waits = waitingHandlers.has(handler);
  const attempts = unit.attempt_list ?? [];
  if (attempts.length > 0) {
    return attempts.map((attempt, index): Bar => {
      const last = index === attempts.length - 1;
      const open = !attempt.completed_at && !hasEnded(unit.status);
      const end = attempt.completed_at ?? (open ? undefined : unit.completed_at);
      return {
        from: ms(attempt.started_at),
        to: end ? Math.max(ms(end), ms(attempt.started_at)) : now,
        // What became of the last attempt is what became of the step, also once it was undone.
        status: last && !["retrying", "interrupted"].includes(unit.status) ? unit.status : attempt.status,
        waits: waits || (last && unit.status === "waiting"),
        attempt: attempt.attempt,
        open,
      };
    });
  }
  if (!unit.started_at) return [];
  const open = !unit.completed_at && !hasEnded(unit.status);
  return [
    {
      from: ms(unit.started_at),
      to: unit.completed_at ? ms(unit.completed_at) : now,
      status: unit.status,
      waits: waits || unit.status === "waiting",
      attempt: unit.attempts,
      open,
    },
  ];
}

/** The bars of a whole run: its wait for a slot, and then itself. */
export function runBars(result: Execution, now: number): Bar[] {
  const created = ms(result.created_at);
  const started = ms(result.started_at);
  const end = result.completed_at ? ms(result.completed_at) : now;
  const open = !result.completed_at;
  const queued = result.status === "queued" || result.status === "pending";
  const bars: Bar[] = [];
  if (queued || started - created >= 50)
    bars.push({ from: created, to: queued ? end : started, status: "queued", waits: true, attempt: 0, open: queued });
  if (!queued)
    bars.push({ from: started, to: end, status: result.status, waits: result.status === "waiting", attempt: 1, open });
  return bars;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** How long the axis of a live run may be: it grows from one to the next as the run goes on. */
const lengths = [
  10 * second,
  30 * second,
  ...[1, 2, 5, 10, 20, 30].map((n) => n * minute),
  ...[1, 2, 4, 8, 12].map((n) => n * hour),
  ...[1, 2, 4, 7, 14, 30].map((n) => n * day),
];

/** By how much the window on the last minute of a live run moves on. */
const stride = 10 * second;

export type Zoom = "fit" | "minute";

/**
 * The part of time that is shown: the whole run, or its last minute. That of a
 * live run ends at a round time after now, so that the axis stands still for a
 * while and the line of now moves along it.
 */
export function shownSpan(result: Execution, zoom: Zoom, now: number): Span {
  const from = ms(result.created_at);
  if (result.completed_at) {
    const to = Math.max(ms(result.completed_at), from + 10);
    return zoom === "minute" ? { from: Math.max(from, to - minute), to } : { from, to };
  }
  const passed = Math.max(0, now - from);
  if (zoom === "minute" && passed >= minute) {
    const to = from + (Math.floor(passed / stride) + 1) * stride;
    return { from: to - minute - stride, to };
  }
  const month = 30 * day;
  const length = lengths.find((each) => passed < each) ?? (Math.floor(passed / month) + 1) * month;
  return { from, to: from + length };
}

/** Where a bar stands in a span, in percent; undefined where it is outside. */
export function place(bar: Pick<Bar, "from" | "to">, span: Span): { left: number; width: number } | undefined {
  const from = Math.max(bar.from, span.from);
  const to = Math.min(bar.to, span.to);
  if (to < from || bar.to < span.from || bar.from > span.to) return undefined;
  const whole = span.to - span.from;
  return { left: (100 * (from - span.from)) / whole, width: (100 * (to - from)) / whole };
}

const paces = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
  2_592_000_000,
];

export interface Tick {
  /** In percent of the span. */
  at: number;
  label: string;
}

/** Marks at round times since the beginning of the run, at most as many as fit. */
export function ticksOf(span: Span, origin: number, most: number): Tick[] {
  const length = span.to - span.from;
  const pace = paces.find((each) => length / each <= most) ?? paces.at(-1)!;
  const ticks: Tick[] = [];
  for (let k = Math.ceil((span.from - origin) / pace); origin + k * pace <= span.to; k++) {
    const time = k * pace;
    ticks.push({ at: (100 * (origin + time - span.from)) / length, label: time === 0 ? "0" : duration(time / 1000) });
  }
  return ticks;
}
