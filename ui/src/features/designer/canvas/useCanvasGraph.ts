import type { NodeChange } from "@xyflow/react";
import { useCallback, useMemo, useRef, useState } from "react";
import { edgesOf, nodesOf, type StepNode } from "../../graph/elements";
import type { Point } from "../../graph/geometry";
import type { StepEdge } from "../../graph/StepEdge";
import { prefersStill } from "../../graph/ZoomButtons";
import { useDesignerState, useDesignerStore } from "../context";

type Places = ReadonlyMap<string, Point>;

/** How long cards travel after a tidy-up, in milliseconds. */
const travel = 220;

/** Places between two others, at a share of the way. */
function between(from: Places, to: Places, share: number): Map<string, Point> {
  const eased = 1 - (1 - share) ** 3;
  const result = new Map<string, Point>();
  for (const [id, end] of to) {
    const start = from.get(id) ?? end;
    result.set(id, { x: start.x + (end.x - start.x) * eased, y: start.y + (end.y - start.y) * eased });
  }
  return result;
}

/**
 * Nodes and edges of the document for the canvas library. What the library
 * reports goes to the designer's store; only places while something is dragged
 * or travels are kept here, so that a drag is one entry of the history.
 */
export function useCanvasGraph(places: Places, editable: boolean) {
  const store = useDesignerStore();
  const steps = useDesignerState((state) => state.document.steps);
  const selected = useDesignerState((state) => state.selection);
  const selectedEdge = useDesignerState((state) => state.selectedEdge);
  const [moving, setMoving] = useState<{ places: Places; dragged: boolean } | null>(null);
  const nodesBefore = useRef<StepNode[]>([]);
  const edgesBefore = useRef<StepEdge[]>([]);
  const settled = useRef(places);
  settled.current = places;

  const nodes = useMemo(() => {
    nodesBefore.current = nodesOf(steps, {
      place: (id) => moving?.places.get(id) ?? places.get(id),
      selected,
      draggable: editable,
      dragging: moving?.dragged ? moving.places : undefined,
      before: nodesBefore.current,
    });
    return nodesBefore.current;
  }, [steps, places, moving, selected, editable]);
  const edges = useMemo(() => {
    edgesBefore.current = edgesOf(steps, { selected, selectedEdge, before: edgesBefore.current });
    return edgesBefore.current;
  }, [steps, selected, selectedEdge]);

  const onNodesChange = useCallback(
    (changes: NodeChange<StepNode>[]) => {
      const chosen = new Set(store.getState().selection);
      let selects = false;
      const dragged = new Map<string, Point>();
      for (const change of changes) {
        if (change.type === "select") {
          selects = true;
          if (change.selected) chosen.add(change.id);
          else chosen.delete(change.id);
        } else if (change.type === "position" && change.position && change.dragging) {
          dragged.set(change.id, change.position);
        }
      }
      if (selects) store.getState().select(chosen);
      if (dragged.size > 0)
        setMoving((before) => ({ places: new Map([...(before?.places ?? []), ...dragged]), dragged: true }));
    },
    [store],
  );

  const frame = useRef(0);
  const animateFrom = useCallback((from: Places) => {
    cancelAnimationFrame(frame.current);
    if (prefersStill()) return;
    const start = performance.now();
    const step = (now: number) => {
      const share = Math.min(1, (now - start) / travel);
      setMoving(share < 1 ? { places: between(from, settled.current, share), dragged: false } : null);
      if (share < 1) frame.current = requestAnimationFrame(step);
    };
    setMoving({ places: from, dragged: false });
    frame.current = requestAnimationFrame(step);
  }, []);

  return { nodes, edges, onNodesChange, endMove: useCallback(() => setMoving(null), []), animateFrom };
}
