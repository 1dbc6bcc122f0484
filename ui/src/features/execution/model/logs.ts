// The log lines of one run, in the order of their numbers, each once. Lines of
// the past are read page by page, those of the present come over the socket;
// where the two meet is a number, so that nothing is missing and nothing doubled.
import type { LiveEvent, LogLine } from "../../../api/types";
import { plainText } from "../../run/ansi";

/** How many lines are kept; beyond it the oldest are let go. */
export const maxLines = 200_000;

export interface Line {
  seq: number;
  /** When it was written, RFC 3339. */
  time: string;
  step: string;
  item?: number;
  level: string;
  text: string;
  /** Without colours: what is searched and copied. */
  plain: string;
  fields?: string;
}

export const levels = ["debug", "info", "warning", "error"] as const;

export interface LogFilter {
  /** The id of a step, or empty for all. */
  step: string;
  /** The least level that is shown. */
  level: string;
}

function lineOf(source: LogLine | LiveEvent): Line {
  const text = source.message ?? "";
  return {
    seq: source.seq,
    time: source.timestamp,
    step: source.step_id ?? "",
    item: source.item_index,
    level: source.level ?? "info",
    text,
    plain: plainText(text),
    fields: fieldsOf(source.fields),
  };
}

/** Fields as "name=value" beside the message. */
function fieldsOf(fields: unknown): string | undefined {
  if (typeof fields !== "object" || fields === null) return undefined;
  const parts = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return parts.length > 0 ? plainText(parts.join(" ")) : undefined;
}

/** Collects the lines of a run and tells listeners of changes. */
export class LogBook {
  #past: Line[] = [];
  #present: Line[] = [];
  #lines: readonly Line[] = [];
  #listeners = new Set<() => void>();
  #dropped = 0;
  /** Lines up to this number are read, those above it come by themselves. */
  #meets = Number.POSITIVE_INFINITY;
  #state: "loading" | "ready" | "failed" = "loading";

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** All lines; the same list until something changes. */
  get = (): readonly Line[] => this.#lines;

  /** Whether lines of the past are still being read. */
  state = (): "loading" | "ready" | "failed" => this.#state;

  /** How many lines were let go because there were too many. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The number after which the next page is to be read. */
  get readUpTo(): number {
    return this.#past.at(-1)?.seq ?? 0;
  }

  /** Sets where past and present meet; only what is read later is held to it. */
  meetAt(seq: number): void {
    this.#meets = seq;
  }

  /** Takes a page of the past. True once the present is reached. */
  read(page: readonly LogLine[]): boolean {
    const after = this.readUpTo;
    for (const line of page) {
      if (line.seq > after && line.seq <= this.#meets) this.#past.push(lineOf(line));
    }
    this.#changed();
    return (page.at(-1)?.seq ?? 0) >= this.#meets;
  }

  /** Says how reading the past stands. */
  mark(state: "loading" | "ready" | "failed"): void {
    this.#state = state;
    this.#changed();
  }

  /** Takes events as they happen; those that are no log lines are left aside. */
  hear(events: readonly LiveEvent[]): void {
    let last = this.#present.at(-1)?.seq ?? (Number.isFinite(this.#meets) ? this.#meets : 0);
    let more = false;
    for (const event of events) {
      if (event.event !== "step_log" || event.seq <= last) continue;
      last = event.seq;
      this.#present.push(lineOf(event));
      more = true;
    }
    if (more) this.#changed();
  }

  /** Says that the first lines were not read, because there are too many. */
  skip(lines: number): void {
    this.#dropped += lines;
  }

  #changed(): void {
    // Some are let go at once, so that not every line moves all others.
    const over = this.#past.length + this.#present.length - maxLines;
    if (over > 0) {
      const slack = over + maxLines / 10;
      const ofPast = Math.min(slack, this.#past.length);
      this.#past.splice(0, ofPast);
      this.#present.splice(0, slack - ofPast);
      this.#dropped += slack;
    }
    this.#lines = this.#past.concat(this.#present);
    for (const listener of this.#listeners) listener();
  }
}

/** The lines that a filter lets through; the list itself where that is all. */
export function filterLines(lines: readonly Line[], { step, level }: LogFilter): readonly Line[] {
  const least = levels.indexOf(level as (typeof levels)[number]);
  if (!step && least <= 0) return lines;
  const shown = new Set<string>(levels.slice(Math.max(0, least)));
  return lines.filter((line) => (!step || line.step === step) && (least <= 0 || shown.has(line.level)));
}

/** Where a text stands in lines, without regard to case. Remembers, so that lines that are added cost only themselves. */
export class Search {
  #lines: readonly Line[] = [];
  #query = "";
  #found: number[] = [];
  #looked = 0;

  /** The indices of the lines that hold the query. */
  find(lines: readonly Line[], query: string): readonly number[] {
    const wanted = query.toLocaleLowerCase();
    const last = this.#lines[this.#looked - 1];
    const grown =
      wanted === this.#query &&
      lines.length >= this.#looked &&
      (this.#looked === 0 || (lines[this.#looked - 1] === last && lines[0] === this.#lines[0]));
    if (!grown) {
      this.#query = wanted;
      this.#found = [];
      this.#looked = 0;
    }
    if (lines.length > this.#looked || !grown) {
      const more: number[] = [];
      if (wanted) {
        for (let i = this.#looked; i < lines.length; i++) {
          if (lines[i]!.plain.toLocaleLowerCase().includes(wanted)) more.push(i);
        }
      }
      if (more.length > 0 || !grown) this.#found = this.#found.concat(more);
      this.#looked = lines.length;
    }
    this.#lines = lines;
    return this.#found;
  }
}

/** Which lines of one kind an entry of the list takes without wrapping. */
export function rowsOf(line: Line): number {
  let rows = 1;
  for (let at = line.text.indexOf("\n"); at >= 0; at = line.text.indexOf("\n", at + 1)) rows++;
  return rows;
}
