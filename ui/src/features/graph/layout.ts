// Automatic layout, from left to right. Runs in a worker, since 500 steps take
// the better part of a second; see layoutClient.ts.
import { Graph, layout } from "@dagrejs/dagre";
import { card, gap, type Point, snap } from "./geometry";

export interface LayoutStep {
  id: string;
  dependencies: readonly string[];
}

/** Places for all steps, on the grid, with the first column at x 0. Dependencies on no step are left out. */
export function layOut(steps: readonly LayoutStep[]): Map<string, Point> {
  const graph = new Graph({ multigraph: false });
  graph.setGraph({ rankdir: "LR", nodesep: gap.down, ranksep: gap.across, ranker: "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of steps) graph.setNode(id, { ...card });
  for (const { id, dependencies } of steps) {
    for (const from of dependencies) if (from !== id && graph.hasNode(from)) graph.setEdge(from, id);
  }
  layout(graph);
  const places = new Map<string, Point>();
  for (const { id } of steps) {
    const { x = 0, y = 0 } = graph.node(id) as Partial<Point>;
    places.set(id, snap({ x: x - card.width / 2, y: y - card.height / 2 }));
  }
  return places;
}
