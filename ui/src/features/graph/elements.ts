// Turns a definition into what the canvas library draws. Objects are kept from
// one call to the next where nothing changed, so that only changed cards and
// lines are drawn again.
import type { Edge, Node } from "@xyflow/react";
import type { StepDefinition } from "../../api/types";
import { card, isPoint, type Point } from "./geometry";
import { orderOf, upstreamOf } from "./order";
import { arrow, type StepEdge, upstreamArrow } from "./StepEdge";
import { cardHandles } from "./StepNode";

export interface StepData {
  step: StepDefinition;
  /** Drawn in another way, such as added or removed in a comparison. */
  mark?: string;
  [key: string]: unknown;
}

export type StepNode = Node<StepData, "step">;

/** The saved place of a step. */
export function savedPlace(step: StepDefinition): Point | undefined {
  const position = step.ui?.position;
  return isPoint(position) ? position : undefined;
}

/** Steps in the order of execution, each id once. */
export function inOrder(steps: readonly StepDefinition[]): StepDefinition[] {
  const byId = new Map<string, StepDefinition>();
  for (const step of steps) if (!byId.has(step.id)) byId.set(step.id, step);
  return orderOf(steps).ids.flatMap((id) => byId.get(id) ?? []);
}

interface NodeOptions {
  place: (id: string) => Point | undefined;
  selected: ReadonlySet<string>;
  draggable?: boolean;
  /** Has the ids of what the pointer drags. */
  dragging?: { has(id: string): boolean };
  /** The nodes of the last call. */
  before?: readonly StepNode[];
}

// The library's own words for its wrappers; the card within has the name.
const unnamed = { "aria-roledescription": undefined } as const;

/** A node for each step that has a place, in the order of execution. */
export function nodesOf(
  steps: readonly StepDefinition[],
  { place, selected, draggable, dragging, before }: NodeOptions,
): StepNode[] {
  const old = new Map(before?.map((node) => [node.id, node]));
  return inOrder(steps).flatMap((step): StepNode[] => {
    const position = place(step.id);
    if (!position) return [];
    const same = old.get(step.id);
    const isSelected = selected.has(step.id);
    if (
      same?.data.step === step &&
      same.position.x === position.x &&
      same.position.y === position.y &&
      same.selected === isSelected &&
      same.draggable === draggable &&
      same.dragging === dragging?.has(step.id)
    ) {
      return [same];
    }
    return [
      {
        id: step.id,
        type: "step" as const,
        position,
        data: same?.data.step === step ? same.data : { step },
        selected: isSelected,
        draggable,
        dragging: dragging?.has(step.id),
        width: card.width,
        height: card.height,
        measured: card,
        handles: cardHandles,
        domAttributes: unnamed,
      },
    ];
  });
}

export function edgeId(from: string, to: string): string {
  return `${from}>${to}`;
}

/** The two ends of a connection written as "from>to". */
export function edgeEnds(edge: string): { from: string; to: string } {
  const [from = "", to = ""] = edge.split(">");
  return { from, to };
}

// Connections are told in the names of the cards they lead to.
const hidden = { "aria-hidden": true, "aria-roledescription": undefined } as const;

interface EdgeOptions {
  selected: ReadonlySet<string>;
  selectedEdge?: string | null;
  before?: readonly StepEdge[];
}

/** An edge for each dependency on a step that exists; those that lead to the one selected step stand out. */
export function edgesOf(
  steps: readonly StepDefinition[],
  { selected, selectedEdge = null, before }: EdgeOptions,
): StepEdge[] {
  const old = new Map(before?.map((edge) => [edge.id, edge]));
  const ids = new Set(steps.map((step) => step.id));
  const [only] = selected;
  const above = selected.size === 1 && only !== undefined ? upstreamOf(steps, only).add(only) : null;
  const seen = new Set<string>();
  return steps.flatMap((step) =>
    (step.dependencies ?? []).flatMap((from): StepEdge[] => {
      const id = edgeId(from, step.id);
      if (!ids.has(from) || from === step.id || seen.has(id)) return [];
      seen.add(id);
      const upstream = above?.has(step.id) ?? false;
      const isSelected = id === selectedEdge;
      const same = old.get(id);
      if (same && same.selected === isSelected && same.data?.upstream === upstream) return [same];
      return [
        {
          id,
          type: "step" as const,
          source: from,
          target: step.id,
          selected: isSelected,
          className: upstream ? "upstream" : undefined,
          zIndex: upstream || isSelected ? 1 : 0,
          markerEnd: upstream || isSelected ? upstreamArrow : arrow,
          ariaLabel: null as unknown as undefined,
          ariaRole: "presentation" as const,
          domAttributes: hidden as NonNullable<Edge["domAttributes"]>,
          data: { upstream },
        },
      ];
    }),
  );
}
