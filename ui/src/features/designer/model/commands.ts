// What a person does to a workflow, as functions from one definition to the
// next. None of them changes what it is given, and each returns the very
// definition it was given where it has nothing to do.
import type { Definition, StepDefinition } from "../../../api/types";
import { savedPlace } from "../../graph/elements";
import { card, gap, type Point, snap } from "../../graph/geometry";
import { downstreamOf } from "../../graph/order";
import { asStepId, isStepId, uniqueId } from "./ids";
import { type Renames, renameInStep, renameReferences } from "./references";

type Places = ReadonlyMap<string, Point>;

export function stepById(definition: Definition, id: string): StepDefinition | undefined {
  return definition.steps.find((step) => step.id === id);
}

export function idsOf(definition: Definition): Set<string> {
  return new Set(definition.steps.map((step) => step.id));
}

/** A definition with some of its steps replaced; the same one where each is the one it had. */
function mapSteps(definition: Definition, change: (step: StepDefinition) => StepDefinition): Definition {
  let changed = false;
  const steps = definition.steps.map((step) => {
    const after = change(step);
    changed ||= after !== step;
    return after;
  });
  return changed ? { ...definition, steps } : definition;
}

function withDependencies(step: StepDefinition, dependencies: string[]): StepDefinition {
  if (dependencies.length > 0) return { ...step, dependencies };
  const { dependencies: _, ...rest } = step;
  return rest as StepDefinition;
}

function withPlace(step: StepDefinition, place: Point): StepDefinition {
  const before = savedPlace(step);
  if (before?.x === place.x && before.y === place.y) return step;
  return { ...step, ui: { ...step.ui, position: { x: place.x, y: place.y } } };
}

/** Replaces one step. */
export function changeStep(
  definition: Definition,
  id: string,
  change: (step: StepDefinition) => StepDefinition,
): Definition {
  return mapSteps(definition, (step) => (step.id === id ? change(step) : step));
}

/** The id that a new step of a handler gets: "git.create_tag" gives "create-tag", "create-tag-2" and so on. */
export function newStepId(definition: Definition, handler: string): string {
  return uniqueId(asStepId(handler.split(".").at(-1) ?? ""), idsOf(definition));
}

/** Appends a step, whose id must be new; after names the step that it depends on. */
export function addStep(definition: Definition, step: StepDefinition, after?: string): Definition {
  const dependencies = [...(step.dependencies ?? [])];
  if (after !== undefined && stepById(definition, after) && !dependencies.includes(after)) dependencies.push(after);
  return { ...definition, steps: [...definition.steps, withDependencies(step, dependencies)] };
}

/** Removes steps together with every connection to and from them. */
export function removeSteps(definition: Definition, ids: ReadonlySet<string>): Definition {
  if (!definition.steps.some((step) => ids.has(step.id))) return definition;
  const steps = definition.steps
    .filter((step) => !ids.has(step.id))
    .map((step) =>
      step.dependencies?.some((id) => ids.has(id))
        ? withDependencies(
            step,
            step.dependencies.filter((id) => !ids.has(id)),
          )
        : step,
    );
  return { ...definition, steps };
}

/** Why a step can't be made to depend on another, as a sentence; null where it can. */
export function whyNotConnect(definition: Definition, from: string, to: string): string | null {
  const before = stepById(definition, from);
  const after = stepById(definition, to);
  if (!before || !after) return "There is no such step any more.";
  if (from === to) return `"${to}" can't wait for itself.`;
  if (after.dependencies?.includes(from)) return `"${to}" already waits for "${from}".`;
  if (downstreamOf(definition.steps, to).has(from)) {
    return `"${from}" already waits for "${to}", directly or through others: ${pathBetween(definition, to, from)}. They would wait for each other.`;
  }
  return null;
}

/** One shortest way along connections, as "a → b → c". */
function pathBetween(definition: Definition, from: string, to: string): string {
  const previous = new Map<string, string>();
  const queue = [from];
  for (let at = 0; at < queue.length && !previous.has(to); at++) {
    const id = queue[at]!;
    for (const step of definition.steps) {
      if (step.dependencies?.includes(id) && !previous.has(step.id)) {
        previous.set(step.id, id);
        queue.push(step.id);
      }
    }
  }
  const path = [to];
  while (path[0] !== from && previous.has(path[0]!)) path.unshift(previous.get(path[0]!)!);
  return path.length > 8 ? [...path.slice(0, 4), "…", ...path.slice(-3)].join(" → ") : path.join(" → ");
}

/** Makes a step depend on another. Does nothing where that is not allowed. */
export function connect(definition: Definition, from: string, to: string): Definition {
  if (whyNotConnect(definition, from, to) !== null) return definition;
  return changeStep(definition, to, (step) => withDependencies(step, [...(step.dependencies ?? []), from]));
}

/** Removes a dependency. */
export function disconnect(definition: Definition, from: string, to: string): Definition {
  return changeStep(definition, to, (step) =>
    step.dependencies?.includes(from)
      ? withDependencies(
          step,
          step.dependencies.filter((id) => id !== from),
        )
      : step,
  );
}

/** Puts a new step into a connection: it waits for the first step, and the second waits for it instead. */
export function insertStep(definition: Definition, step: StepDefinition, from: string, to: string): Definition {
  const added = addStep(definition, step, from);
  return changeStep(added, to, (after) =>
    withDependencies(
      after,
      (after.dependencies ?? []).map((id) => (id === from ? step.id : id)),
    ),
  );
}

/** Saves places; steps that are not named keep theirs. */
export function setPositions(definition: Definition, places: Places): Definition {
  return mapSteps(definition, (step) => {
    const place = places.get(step.id);
    return place ? withPlace(step, place) : step;
  });
}

/**
 * Saves where steps without a place of their own are drawn. Whatever changes
 * the shape of a graph that was laid out does this first, so that the next
 * opening shows what was seen.
 */
export function pinPositions(definition: Definition, drawn: Places): Definition {
  return mapSteps(definition, (step) => {
    const place = savedPlace(step) ? undefined : drawn.get(step.id);
    return place ? withPlace(step, place) : step;
  });
}

/** Moves steps by a distance, from where they are drawn. */
export function moveSteps(definition: Definition, ids: ReadonlySet<string>, by: Point, drawn: Places): Definition {
  if (by.x === 0 && by.y === 0) return definition;
  return mapSteps(definition, (step) => {
    const place = ids.has(step.id) && (savedPlace(step) ?? drawn.get(step.id));
    return place ? withPlace(step, { x: place.x + by.x, y: place.y + by.y }) : step;
  });
}

interface PasteOptions {
  /** The middle of what is pasted; beside the originals without it. */
  at?: Point;
  /** How far from the originals, without that; on the grid. */
  shift?: number;
  /** Keeps dependencies on steps outside of what is pasted, where the definition has them. */
  keepOutside: boolean;
}

/** Where the pasted steps go: the shift of their saved places, with a place made up for those without. */
function placesFor(steps: readonly StepDefinition[], at: Point | undefined, by: number): Point[] {
  const own = steps.map((step, i) => savedPlace(step) ?? { x: i * (card.width + gap.across), y: 0 });
  const left = Math.min(...own.map((p) => p.x));
  const top = Math.min(...own.map((p) => p.y));
  const right = Math.max(...own.map((p) => p.x)) + card.width;
  const bottom = Math.max(...own.map((p) => p.y)) + card.height;
  const shift = at ? { x: at.x - (left + right) / 2, y: at.y - (top + bottom) / 2 } : { x: by, y: by };
  return own.map((p) => snap({ x: p.x + shift.x, y: p.y + shift.y }));
}

/**
 * Adds copies of steps under new ids. What they say of one another goes to the
 * copies. Gives the new definition and the new ids.
 */
export function pasteSteps(
  definition: Definition,
  steps: readonly StepDefinition[],
  { at, shift = 40, keepOutside }: PasteOptions,
): { definition: Definition; ids: string[] } {
  if (steps.length === 0) return { definition, ids: [] };
  const taken = idsOf(definition);
  const existing = new Set(taken);
  const renames = new Map<string, string>();
  const ids = steps.map((step) => {
    const id = uniqueId(isStepId(step.id) ? step.id : asStepId(String(step.id ?? "")), taken);
    taken.add(id);
    if (!renames.has(step.id)) renames.set(step.id, id);
    return id;
  });
  const places = placesFor(steps, at, shift);
  const added = steps.map((step, i) => {
    const own = (step.dependencies ?? []).filter((id) => renames.has(id) || (keepOutside && existing.has(id)));
    const copy = renameInStep(structuredClone(withDependencies(step, own)), renames);
    return withPlace({ ...copy, id: ids[i]! }, places[i]!);
  });
  return { definition: { ...definition, steps: [...definition.steps, ...added] }, ids };
}

/** Adds copies of steps beside them, which wait for what the originals wait for. */
export function duplicateSteps(
  definition: Definition,
  ids: ReadonlySet<string>,
): { definition: Definition; ids: string[] } {
  return pasteSteps(
    definition,
    definition.steps.filter((step) => ids.has(step.id)),
    { keepOutside: true },
  );
}

/** Why a step can't have this id, as a sentence; null where it can. */
export function whyNotRename(definition: Definition, id: string, wanted: string): string | null {
  if (wanted === id) return null;
  if (wanted === "") return "A step needs an id.";
  if (!isStepId(wanted)) {
    return "An id begins with a letter or a digit, and holds at most 64 letters, digits, - and _.";
  }
  return stepById(definition, wanted) ? `Another step already has the id "${wanted}".` : null;
}

/** Gives a step another id, everywhere it is named. Does nothing where that is not allowed. */
export function renameStep(definition: Definition, id: string, wanted: string): Definition {
  if (id === wanted || !stepById(definition, id) || whyNotRename(definition, id, wanted) !== null) return definition;
  const renames: Renames = new Map([[id, wanted]]);
  const renamed = changeStep(definition, id, (step) => ({ ...step, id: wanted }));
  return renameReferences(renamed, renames);
}
