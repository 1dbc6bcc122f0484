import { act, render, renderHook, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { announce, staysFor, useAnnounced } from "./announce";
import { LiveRegions } from "./LiveRegions";
import { toast } from "./toast";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  act(() => void vi.runAllTimers());
  vi.useRealTimers();
});

const region = (manner: string) => document.querySelector(`[aria-live=${manner}]`)!;
const said = (manner: string) => [...region(manner).children].map((each) => each.textContent);

test("there are two regions from the start, and a text goes to the one that it is meant for", () => {
  render(<LiveRegions />);
  const [polite, assertive] = [region("polite"), region("assertive")];
  expect(document.querySelectorAll("[aria-live]")).toHaveLength(2);
  act(() => {
    announce("4 executions");
    announce("It was not saved", "assertive");
  });
  expect(said("polite")).toEqual(["4 executions"]);
  expect(said("assertive")).toEqual(["It was not saved"]);
  // A region that comes anew together with its text is not read.
  expect([region("polite"), region("assertive")]).toEqual([polite, assertive]);
  expect(polite.isConnected && assertive.isConnected).toBe(true);
});

test("texts of one moment are all said, in their order", () => {
  render(<LiveRegions />);
  act(() => {
    announce("Saving…");
    announce("Saved, version 3");
  });
  expect(said("polite")).toEqual(["Saving…", "Saved, version 3"]);
});

test("the same text is said again: it comes as an element of its own, and the first stays untouched", () => {
  render(<LiveRegions />);
  act(() => announce("Arrows walk again"));
  const first = region("polite").firstElementChild;
  act(() => vi.advanceTimersByTime(1000));
  act(() => announce("Arrows walk again"));
  expect(said("polite")).toEqual(["Arrows walk again", "Arrows walk again"]);
  expect(region("polite").firstElementChild).toBe(first);
  expect(region("polite").lastElementChild).not.toBe(first);
  // Only what is added is read, never what was read already.
  expect(region("polite")).toHaveAttribute("aria-atomic", "false");
});

test("a text goes after a while, each on its own", () => {
  render(<LiveRegions />);
  act(() => announce("one"));
  act(() => vi.advanceTimersByTime(staysFor - 1000));
  act(() => announce("two"));
  act(() => vi.advanceTimersByTime(1000));
  expect(said("polite")).toEqual(["two"]);
  act(() => vi.advanceTimersByTime(staysFor));
  expect(said("polite")).toEqual([]);
});

test("an empty text is not said", () => {
  render(<LiveRegions />);
  act(() => announce(" "));
  expect(said("polite")).toEqual([]);
});

test("what is said before the regions are drawn is not lost", () => {
  announce("early");
  render(<LiveRegions />);
  expect(said("polite")).toEqual(["early"]);
});

test("a changing text is said when it changes, not when it opens", () => {
  render(<LiveRegions />);
  const { rerender } = renderHook(({ text }) => useAnnounced(text), { initialProps: { text: "2 executions" } });
  expect(said("polite")).toEqual([]);
  rerender({ text: "2 executions" });
  expect(said("polite")).toEqual([]);
  rerender({ text: "3 executions" });
  expect(said("polite")).toEqual(["3 executions"]);
  rerender({ text: "" });
  rerender({ text: "3 executions" });
  expect(said("polite")).toEqual(["3 executions", "3 executions"]);
});

test("what is not known yet is no opening: the first that is known is read with the page", () => {
  render(<LiveRegions />);
  const { rerender } = renderHook(({ text }) => useAnnounced(text), {
    initialProps: { text: null as string | null },
  });
  rerender({ text: "50 shown" });
  expect(said("polite")).toEqual([]);
  rerender({ text: "2 executions" });
  expect(said("polite")).toEqual(["2 executions"]);
});

test("what appears with its text is said at once where that is asked", () => {
  render(<LiveRegions />);
  renderHook(() => useAnnounced("Choose what became of it.", { manner: "assertive", opening: true }));
  expect(said("assertive")).toEqual(["Choose what became of it."]);
  expect(said("polite")).toEqual([]);
});

test("toasts are said too: an error and what is urgent assertively", () => {
  render(<LiveRegions />);
  act(() => {
    toast({ title: "Your password is changed", description: "Your other browsers are signed out.", kind: "success" });
    toast({ title: "The steps could not be laid out", kind: "error" });
    toast({ title: "These steps can't be connected", description: "It would be a circle.", urgent: true });
  });
  expect(said("polite")).toEqual(["Your password is changed. Your other browsers are signed out."]);
  expect(said("assertive")).toEqual([
    "The steps could not be laid out",
    "These steps can't be connected. It would be a circle.",
  ]);
  expect(screen.queryByRole("alert")).toBeNull();
});
