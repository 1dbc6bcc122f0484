// One list of what the page and the server found. The server judged a
// definition that may be a moment old: of that, what it said of parts that
// have not changed since still stands.
import type { ProblemItem } from "../../../api/client";
import type { Definition, Validation } from "../../../api/types";
import { below, keysOf } from "../../../lib/pointer";
import { connect, whyNotConnect } from "../model/commands";
import type { Problem } from "../problems";
import { inStep } from "./references";

/** What the server said, and of which definition. */
export interface Verdict {
  document: Definition;
  validation: Pick<Validation, "valid" | "errors" | "warnings">;
}

/** The problems of the page and of the server; the page's words where both speak of one place. */
export function join(page: readonly Problem[], verdict: Verdict | undefined, document: Definition): Problem[] {
  if (!verdict) return sorted(page, document);
  const isCurrent = verdict.document === document;
  // The server has the last word: what it lets pass is no error.
  const own = isCurrent && verdict.validation.valid ? page.filter(({ severity }) => severity === "warning") : page;
  const places = new Set(own.map(({ pointer }) => pointer));
  const theirs = [
    ...verdict.validation.errors.map((item) => fromServer(item, "error", verdict.document, document)),
    ...verdict.validation.warnings.map((item) => fromServer(item, "warning", verdict.document, document)),
  ].filter((problem): problem is Problem => problem !== null && !places.has(problem.pointer));
  return sorted([...own, ...theirs], document);
}

/** A problem of the server for the definition as it is now; null where what it is about has changed. */
function fromServer(
  item: ProblemItem,
  severity: Problem["severity"],
  judged: Definition,
  document: Definition,
): Problem | null {
  const pointer = preciseOf(item);
  const [root, index, ...rest] = keysOf(pointer);
  if (root !== "steps" || index === undefined) {
    const same = root === undefined || judged[root] === document[root];
    return same ? make(item, pointer, severity, undefined, document) : null;
  }
  const step = judged.steps[Number(index)];
  const at = step ? document.steps.indexOf(step) : -1;
  if (at < 0) return null;
  const local = rest.reduce((path, key) => below(path, key), "");
  return make(item, inStep(at, local), severity, step!.id, document);
}

/** The server points at the map that lacks a key; a form needs the place of the key. */
function preciseOf({ code, pointer, message }: ProblemItem): string {
  const key = code === "missing_key" ? / needs the key "([^"]+)"/.exec(message)?.[1] : undefined;
  return key === undefined ? pointer : below(pointer, key);
}

function make(
  item: ProblemItem,
  pointer: string,
  severity: Problem["severity"],
  stepId: string | undefined,
  document: Definition,
): Problem {
  const problem: Problem = { severity, pointer, code: item.code, message: item.message, stepId };
  // Conditions are read by the server alone; it names the step in its sentence.
  const wanted = item.code === "step_not_upstream" ? /names step "([^"]+)"/.exec(item.message)?.[1] : undefined;
  if (wanted !== undefined && stepId !== undefined && whyNotConnect(document, wanted, stepId) === null) {
    problem.repair = { label: `Wait for “${wanted}”`, apply: (now) => connect(now, wanted, stepId) };
  }
  return problem;
}

/** Errors first, then in the order of the definition. */
function sorted(problems: readonly Problem[], document: Definition): Problem[] {
  const rank = ({ severity, pointer }: Problem): [number, number] => {
    const [root, index] = keysOf(pointer);
    return [severity === "error" ? 0 : 1, root === "steps" ? Number(index) : document.steps.length];
  };
  return problems
    .map((problem) => ({ problem, rank: rank(problem) }))
    .sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1])
    .map(({ problem }) => problem);
}

/** Whether two definitions differ only in where their steps are drawn. */
export function sameButForPlaces(a: Definition, b: Definition): boolean {
  if (a === b) return true;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  keys.delete("steps");
  for (const key of keys) if (a[key] !== b[key]) return false;
  return (
    a.steps.length === b.steps.length &&
    a.steps.every((step, i) => {
      const other = b.steps[i]!;
      if (step === other) return true;
      const names = new Set([...Object.keys(step), ...Object.keys(other)]);
      names.delete("ui");
      return [...names].every((name) => step[name] === other[name]);
    })
  );
}
