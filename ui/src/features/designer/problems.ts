// What is wrong with the definition: found by the page at once and by the
// server a moment later. A store of its own, so that a finding redraws only
// the cards that it is about.
import { useContext } from "react";
import { createStore, type StoreApi, useStore } from "zustand";
import type { Definition } from "../../api/types";
import { DesignerContext, useDesignerStore } from "./context";
import type { DesignerStore } from "./store";

export interface StepProblem {
  severity: "error" | "warning";
  message: string;
}

/** One click that puts a problem right. */
export interface Repair {
  /** The verb with its object: Change to “bump”. */
  label: string;
  apply: (document: Definition) => Definition;
}

export interface Problem extends StepProblem {
  /** Where in the definition, as a JSON pointer. */
  pointer: string;
  code: string;
  /** The step that it belongs to; undefined for the workflow as a whole. */
  stepId?: string;
  /** What the field is called, where the message does not name it. */
  field?: string;
  repair?: Repair;
}

/** Where the focus is to go; each request is a new object. */
export interface FocusRequest {
  pointer: string;
}

export interface ProblemsState {
  problems: readonly Problem[];
  byStep: ReadonlyMap<string, readonly Problem[]>;
  errors: number;
  warnings: number;
  /** Whether the server has judged the definition as it stands. */
  checked: boolean;
  /** Why the server could not be asked. */
  failure: unknown;
  /** The field that the settings are to give the focus to. */
  focus: FocusRequest | null;
}

export type ProblemsStore = StoreApi<ProblemsState>;

const none: readonly Problem[] = [];
const noSteps: ReadonlyMap<string, readonly Problem[]> = new Map();
const stores = new WeakMap<DesignerStore, ProblemsStore>();
/** Outside of a designer nothing is wrong. */
const empty = createProblemsStore();

export function createProblemsStore(): ProblemsStore {
  return createStore<ProblemsState>()(() => ({
    problems: none,
    byStep: noSteps,
    errors: 0,
    warnings: 0,
    checked: false,
    failure: null,
    focus: null,
  }));
}

/** The problems of one open designer. */
export function problemsOf(designer: DesignerStore): ProblemsStore {
  let store = stores.get(designer);
  if (!store) {
    store = createProblemsStore();
    stores.set(designer, store);
  }
  return store;
}

function sameProblem(a: Problem, b: Problem): boolean {
  return a.pointer === b.pointer && a.code === b.code && a.message === b.message && a.severity === b.severity;
}

/** Keeps the list of each step that has the same problems as before, so that its card is not drawn again. */
export function groupByStep(
  problems: readonly Problem[],
  before: ReadonlyMap<string, readonly Problem[]>,
): ReadonlyMap<string, readonly Problem[]> {
  const groups = new Map<string, Problem[]>();
  for (const problem of problems) {
    if (problem.stepId === undefined) continue;
    const group = groups.get(problem.stepId);
    if (group) group.push(problem);
    else groups.set(problem.stepId, [problem]);
  }
  return new Map(
    [...groups].map(([id, group]) => {
      const old = before.get(id);
      const same = old?.length === group.length && old.every((problem, i) => sameProblem(problem, group[i]!));
      return [id, same ? old : group] as const;
    }),
  );
}

export function useProblems<T>(pick: (state: ProblemsState) => T): T {
  const designer = useContext(DesignerContext);
  return useStore(designer ? problemsOf(designer) : empty, pick);
}

/** The problems of one step; the same list until they change. */
export function useStepProblems(id: string): readonly Problem[] {
  return useProblems((state) => state.byStep.get(id) ?? none);
}

/** Gives the focus to the field of a pointer, once the settings show it. Select its step before. */
export function useFocusField(): (pointer: string) => void {
  const store = problemsOf(useDesignerStore());
  return (pointer) => store.setState({ focus: { pointer } });
}
