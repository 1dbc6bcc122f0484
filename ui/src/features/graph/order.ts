// Which step comes after which: levels, cycles, what is upstream. The same
// decisions as engine/workflow/order.go; both read the cases in
// engine/workflow/testdata, so that they can't disagree.

export interface OrderStep {
  id: string;
  name?: string;
  dependencies?: readonly string[];
  run_on?: string;
}

export interface OrderProblem {
  pointer: string;
  code: "duplicate_id" | "unknown_dependency" | "self_dependency" | "duplicate_dependency" | "cycle";
  severity: "error" | "warning";
  step_id: string;
  message: string;
}

export interface Order {
  /** Ids by level: each level waits for those before it. Null where there is no order. */
  levels: string[][] | null;
  /** Every id once, in the order of execution; those that can't be placed come last, as they stand. */
  ids: string[];
  problems: OrderProblem[];
}

/** The longest list of steps that a cycle is spelled out with, and how many cycles are. */
const longestCycle = 40;
const mostCycles = 20;

interface Node {
  step: OrderStep;
  dependencies: number[];
  dependents: number[];
  waitsForAll: boolean;
}

const isSuccess = (step: OrderStep) => (step.run_on ?? "success") === "success";

/** Steps as the definition has them, tolerant of what a draft may hold. */
function link(steps: readonly OrderStep[], problems: OrderProblem[]): Node[] {
  const index = new Map<string, number>();
  steps.forEach((step, i) => {
    const first = index.get(step.id);
    if (first === undefined) index.set(step.id, i);
    else {
      problems.push({
        pointer: `/steps/${i}/id`,
        code: "duplicate_id",
        severity: "error",
        step_id: step.id,
        message: `The step id "${step.id}" stands twice, first as step number ${first + 1}; rename one.`,
      });
    }
  });
  const nodes = steps.map((step, i): Node => {
    const dependencies: number[] = [];
    const own = step.dependencies ?? [];
    own.forEach((id, j) => {
      const target = index.get(id);
      const problem = (code: OrderProblem["code"], message: string, severity: OrderProblem["severity"] = "error") =>
        problems.push({ pointer: `/steps/${i}/dependencies/${j}`, code, severity, step_id: step.id, message });
      if (target === undefined) {
        problem("unknown_dependency", `Step "${step.id}" depends on "${id}", which is no step of this workflow.`);
      } else if (target === i) {
        problem("self_dependency", `Step "${step.id}" depends on itself; remove the dependency.`);
      } else if (dependencies.includes(target)) {
        problem("duplicate_dependency", `Step "${step.id}" names its dependency "${id}" twice; remove one.`, "warning");
      } else dependencies.push(target);
    });
    dependencies.sort((a, b) => a - b);
    return { step, dependencies, dependents: [], waitsForAll: own.length === 0 && !isSuccess(step) };
  });
  nodes.forEach((node, i) => {
    for (const dependency of node.dependencies) nodes[dependency]!.dependents.push(i);
  });
  return nodes;
}

/** Numbers of steps in an order in which each comes after what it waits for, and the level of each. */
function sort(nodes: Node[]): { order: number[]; level: number[] } {
  const waiting = nodes.map((node) => node.dependencies.length);
  const level = nodes.map(() => 0);
  const order: number[] = [];
  // Steps that wait for every success step are held until the last of these has its place.
  let successes = nodes.filter((node) => isSuccess(node.step)).length;
  let lastSuccess = -1;
  let held = nodes.flatMap((node, i) => (node.waitsForAll ? [i] : []));
  const ready = nodes.flatMap((node, i) => (!node.waitsForAll && waiting[i] === 0 ? [i] : []));
  const release = () => {
    if (successes > 0) return;
    for (const i of held) level[i] = lastSuccess + 1;
    ready.push(...held);
    held = [];
  };
  release();
  for (let at = 0; at < ready.length; at++) {
    const i = ready[at]!;
    order.push(i);
    for (const dependent of nodes[i]!.dependents) {
      level[dependent] = Math.max(level[dependent]!, level[i]! + 1);
      waiting[dependent] = waiting[dependent]! - 1;
      if (waiting[dependent] === 0) ready.push(dependent);
    }
    if (isSuccess(nodes[i]!.step)) {
      successes--;
      lastSuccess = Math.max(lastSuccess, level[i]!);
      release();
    }
  }
  return { order, level };
}

/** Turns a cycle so that it begins with its first step. */
function fromSmallest(cycle: number[]): number[] {
  const least = cycle.indexOf(Math.min(...cycle));
  return [...cycle.slice(least), ...cycle.slice(0, least)];
}

/** The cycles among the steps without a place, found in depth with a stack of its own. */
function findCycles(nodes: Node[], placed: ReadonlySet<number>): number[][] {
  const state = new Uint8Array(nodes.length);
  const cycles: number[][] = [];
  for (let start = 0; start < nodes.length; start++) {
    if (placed.has(start) || state[start] !== 0) continue;
    state[start] = 1;
    const stack = [{ node: start, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const target = nodes[top.node]!.dependencies[top.next++];
      if (target === undefined) {
        state[top.node] = 2;
        stack.pop();
      } else if (state[target] === 0) {
        state[target] = 1;
        stack.push({ node: target, next: 0 });
      } else if (state[target] === 1 && cycles.length < mostCycles) {
        const from = stack.findIndex((frame) => frame.node === target);
        cycles.push(fromSmallest(stack.slice(from).map((frame) => frame.node)));
      }
    }
  }
  return cycles;
}

/** A path of ids as a sentence shows it, with its middle left out where it is long. */
function spell(ids: string[]): string {
  const shown = ids.length > longestCycle ? [...ids.slice(0, 20), "…", ...ids.slice(-19)] : ids;
  return shown.join(" → ");
}

/** Which success step comes after a step that itself waits for all success steps. */
function heldCycles(nodes: Node[]): OrderProblem[] {
  return nodes.flatMap((node, i) => {
    if (!node.waitsForAll) return [];
    const queue = [i];
    const seen = new Set(queue);
    for (let at = 0; at < queue.length; at++) {
      const { step, dependents } = nodes[queue[at]!]!;
      if (isSuccess(step)) {
        return [
          {
            pointer: `/steps/${i}/run_on`,
            code: "cycle" as const,
            severity: "error" as const,
            step_id: node.step.id,
            message: `Step "${node.step.id}" has run_on: ${node.step.run_on} and no dependencies, so it waits for every step with run_on: success; but "${step.id}" comes after it. Give it dependencies, or remove run_on.`,
          },
        ];
      }
      for (const dependent of dependents) {
        if (!seen.has(dependent)) {
          seen.add(dependent);
          queue.push(dependent);
        }
      }
    }
    return [];
  });
}

function computeOrder(steps: readonly OrderStep[]): Order {
  const problems: OrderProblem[] = [];
  const nodes = link(steps, problems);
  const { order, level } = sort(nodes);
  const idOf = (i: number) => nodes[i]!.step.id;
  const placed = new Set(order);
  const byLevel = [...order].sort((a, b) => level[a]! - level[b]! || a - b);
  const rest = nodes.flatMap((_, i) => (placed.has(i) ? [] : [i]));
  const ids = [...new Set([...byLevel, ...rest].map(idOf))];
  if (order.length === nodes.length) {
    const levels: string[][] = [];
    for (const i of byLevel) {
      levels[level[i]!] ??= [];
      levels[level[i]!]!.push(idOf(i));
    }
    return { levels: problems.some((p) => p.severity === "error") ? null : levels, ids, problems };
  }
  const cycles = findCycles(nodes, placed);
  for (const cycle of cycles) {
    const names = [...cycle, cycle[0]!].map(idOf);
    problems.push({
      pointer: `/steps/${cycle[0]}/dependencies`,
      code: "cycle",
      severity: "error",
      step_id: names[0]!,
      message: `These steps wait for each other, each for the next: ${spell(names)}. Remove one of the dependencies.`,
    });
  }
  if (cycles.length === 0) problems.push(...heldCycles(nodes));
  return { levels: null, ids, problems };
}

const known = new WeakMap<readonly OrderStep[], Order>();

/** The order of a definition's steps, computed once for each list. */
export function orderOf(steps: readonly OrderStep[]): Order {
  let order = known.get(steps);
  if (!order) {
    order = computeOrder(steps);
    known.set(steps, order);
  }
  return order;
}

/** Follows dependencies, against or along their direction, from a step to all it reaches, without itself. */
function reach(id: string, next: (id: string) => readonly string[]): Set<string> {
  const found = new Set<string>();
  const queue = [id];
  for (let at = 0; at < queue.length; at++) {
    for (const each of next(queue[at]!)) {
      if (!found.has(each) && each !== id) {
        found.add(each);
        queue.push(each);
      }
    }
  }
  return found;
}

/**
 * The ids of all steps that have ended before this one starts: its
 * dependencies, theirs, and so on; for a failure or always step without
 * dependencies every success step with all before them.
 */
export function upstreamOf(steps: readonly OrderStep[], id: string): Set<string> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  return reach(id, (each) => {
    const step = byId.get(each);
    if (!step) return [];
    const own = step.dependencies ?? [];
    if (own.length === 0 && !isSuccess(step)) return steps.filter(isSuccess).map((other) => other.id);
    return own.filter((dependency) => byId.has(dependency));
  });
}

/** The ids of all steps that depend on this one, directly or through others. */
export function downstreamOf(steps: readonly OrderStep[], id: string): Set<string> {
  const dependents = new Map<string, string[]>();
  for (const step of steps) {
    for (const dependency of step.dependencies ?? []) {
      const list = dependents.get(dependency);
      if (list) list.push(step.id);
      else dependents.set(dependency, [step.id]);
    }
  }
  return reach(id, (each) => dependents.get(each) ?? []);
}
