import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Definition } from "../../api/types";
import { createDesignerStore, isUnsaved, sameJson } from "./store";

const empty: Definition = { name: "Test", steps: [] };
const rename = (name: string) => (document: Definition) => ({ ...document, name });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the designer's history", () => {
  test("point 49: one entry per action, a burst in one field is one, selection is in none", () => {
    const one: Definition = { name: "Test", steps: [{ id: "a", handler: "flow.log" }] };
    const store = createDesignerStore(one, { id: "w", revision: 1, definition: one });
    const { edit, select } = store.getState();
    edit(rename("T"), { join: "name" });
    edit(rename("Te"), { join: "name" });
    select(["a"]);
    edit(rename("Tes"), { join: "name" });
    vi.advanceTimersByTime(700);
    edit(rename("Tests"), { join: "name" });
    expect(store.temporal.getState().pastStates).toHaveLength(2);
    store.temporal.getState().undo();
    expect(store.getState().document.name).toBe("Tes");
    expect([...store.getState().selection]).toEqual(["a"]);
    store.temporal.getState().undo();
    expect(store.getState().document).toBe(one);
    store.temporal.getState().redo();
    store.temporal.getState().redo();
    expect(store.getState().document.name).toBe("Tests");
  });

  test("point 49: it goes back 100 entries", () => {
    const store = createDesignerStore(empty, { id: null, revision: 0, definition: empty });
    for (let i = 0; i < 130; i++) store.getState().edit(rename(`Name ${i}`));
    expect(store.temporal.getState().pastStates).toHaveLength(100);
  });

  test("point 49: what follows an undo can itself be undone, though its key would join", () => {
    const store = createDesignerStore(empty, { id: "w", revision: 1, definition: empty });
    const { edit, undo } = store.getState();
    edit(rename("One"), { join: "name" });
    edit(rename("Two"), { join: "name" });
    undo();
    edit(rename("Three"), { join: "name" });
    undo();
    expect(store.getState().document).toBe(empty);
  });

  test("a step that an undo, a redo or another edit took away is selected no more", () => {
    const store = createDesignerStore(empty, { id: "w", revision: 1, definition: empty });
    const { edit, select, undo, redo } = store.getState();
    const add =
      (...ids: string[]) =>
      (document: Definition) => ({
        ...document,
        steps: [...document.steps, ...ids.map((id) => ({ id, handler: "flow.log" }))],
      });
    const selected = () => [...store.getState().selection];
    edit(add("a"), { select: ["a"] });
    edit(add("b", "c"), { select: ["b", "c"] });
    expect(selected()).toEqual(["b", "c"]);
    undo();
    expect(selected()).toEqual([]);
    select(["a"]);
    redo();
    expect(selected()).toEqual(["a"]);
    edit((document) => ({ ...document, steps: document.steps.slice(1) }));
    expect(selected()).toEqual([]);
    expect(store.temporal.getState().pastStates).toHaveLength(3);
  });

  test("point 51: undoing back to what is saved is saved", () => {
    const store = createDesignerStore(empty, { id: "w", revision: 1, definition: { steps: [], name: "Test" } });
    expect(isUnsaved(store.getState())).toBe(false);
    store.getState().edit(rename("Other"));
    expect(isUnsaved(store.getState())).toBe(true);
    store.temporal.getState().undo();
    expect(isUnsaved(store.getState())).toBe(false);
  });

  test("a change that changes nothing leaves no entry", () => {
    const store = createDesignerStore(empty, { id: "w", revision: 1, definition: empty });
    store.getState().edit((document) => document);
    expect(store.temporal.getState().pastStates).toHaveLength(0);
  });
});

test("values are compared as JSON", () => {
  expect(sameJson({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
  expect(sameJson({ a: undefined }, {})).toBe(true);
  expect(sameJson([1, 2], [2, 1])).toBe(false);
  expect(sameJson({ a: null }, {})).toBe(false);
  expect(sameJson([], {})).toBe(false);
});
