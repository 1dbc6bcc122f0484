import { describe, expect, test } from "vitest";
import type { LiveEvent, LogLine } from "../../../api/types";
import { filterLines, type Line, LogBook, maxLines, rowsOf, Search } from "./logs";

const written = (seq: number, message = `line ${seq}`, more: Partial<LogLine> = {}): LogLine => ({
  seq,
  timestamp: "2026-01-01T00:00:00Z",
  step_id: "a",
  level: "info",
  message,
  ...more,
});
const heard = (seq: number, event = "step_log"): LiveEvent => ({
  ...written(seq),
  event,
  execution_id: "x",
  workflow_id: "w",
});
const numbers = (book: LogBook) => book.get().map(({ seq }) => seq);

describe("the lines of a run", () => {
  test("point 29: past and present meet without a gap and without a double", () => {
    const book = new LogBook();
    book.meetAt(5);
    book.hear([heard(6), heard(7)]);
    expect(book.read([written(1), written(3)])).toBe(false);
    expect(book.read([written(5), written(6), written(7)])).toBe(true);
    expect(numbers(book)).toEqual([1, 3, 5, 6, 7]);
  });

  test("point 29: what comes again after a reconnect is left aside", () => {
    const book = new LogBook();
    book.meetAt(1);
    book.hear([heard(2), heard(3)]);
    book.hear([heard(2), heard(3), heard(4)]);
    book.hear([heard(5, "step_started")]);
    expect(numbers(book)).toEqual([2, 3, 4]);
  });

  test("a page that is read twice counts once", () => {
    const book = new LogBook();
    book.read([written(1), written(2)]);
    book.read([written(1), written(2), written(3)]);
    expect(numbers(book)).toEqual([1, 2, 3]);
  });

  test("listeners are given another list only when there is something new", () => {
    const book = new LogBook();
    book.meetAt(0);
    let told = 0;
    book.subscribe(() => told++);
    book.hear([heard(1)]);
    const before = book.get();
    book.hear([heard(1), heard(2, "progress")]);
    expect(told).toBe(1);
    expect(book.get()).toBe(before);
  });

  test("point 24: more lines than are kept let the oldest go, and it says how many", () => {
    const book = new LogBook();
    book.meetAt(0);
    book.hear(Array.from({ length: maxLines + 1 }, (_, i) => heard(i + 1)));
    expect(book.get().length).toBe(maxLines - maxLines / 10);
    expect(book.dropped).toBe(1 + maxLines / 10);
    expect(book.get().at(-1)?.seq).toBe(maxLines + 1);
  });
});

const line = (seq: number, plain: string, step = "a", level = "info"): Line => ({
  seq,
  time: "",
  step,
  level,
  text: plain,
  plain,
});

test("point 23: lines are filtered by step and by the least level", () => {
  const lines = [line(1, "a", "a", "debug"), line(2, "b", "b", "warning"), line(3, "c", "a", "error")];
  const left = (step: string, level: string) => filterLines(lines, { step, level }).map(({ seq }) => seq);
  expect(left("a", "debug")).toEqual([1, 3]);
  expect(left("", "warning")).toEqual([2, 3]);
  expect(left("a", "info")).toEqual([3]);
  expect(filterLines(lines, { step: "", level: "debug" })).toBe(lines);
});

describe("point 23: search", () => {
  test("finds lines without regard to case, also those that are added", () => {
    const search = new Search();
    const lines = [line(1, "Alpha"), line(2, "beta"), line(3, "ALPHA beta")];
    expect(search.find(lines, "alpha")).toEqual([0, 2]);
    const same = search.find(lines, "alpha");
    expect(search.find([...lines, line(4, "x")], "alpha")).toBe(same);
    expect(search.find([...lines, line(4, "x"), line(5, "alphabet")], "alpha")).toEqual([0, 2, 4]);
    expect(search.find(lines, "beta")).toEqual([1, 2]);
    expect(search.find(lines.slice(1), "beta")).toEqual([0, 1]);
    expect(search.find(lines, "")).toEqual([]);
  });

  test("looks through 100,000 lines quickly", () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => line(i, `a line of a program that says ${i} of many`));
    const search = new Search();
    const started = performance.now();
    expect(search.find(lines, "says 99")).toHaveLength(1111);
    expect(performance.now() - started).toBeLessThan(400);
  });
});

test("an entry is as high as its text has lines", () => {
  expect(rowsOf(line(1, "one"))).toBe(1);
  expect(rowsOf(line(1, "one\ntwo\n\nfour"))).toBe(4);
});
