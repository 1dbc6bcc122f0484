import { BaseEdge, type Edge, type EdgeProps, getBezierPath, MarkerType } from "@xyflow/react";
import { memo } from "react";

export interface StepEdgeData {
  /** It leads to the selected step. */
  upstream?: boolean;
  [key: string]: unknown;
}

export type StepEdge = Edge<StepEdgeData, "step">;

/** Heads of arrows, in the colours of an edge at rest and of one that leads to the selected step. */
export const arrow = { type: MarkerType.ArrowClosed, width: 16, height: 16, color: "var(--edge)" } as const;
export const upstreamArrow = { ...arrow, color: "var(--accent)" } as const;

/** A dependency, drawn from the step that runs first. */
export const StepEdgeLine = memo(function StepEdgeLine(props: EdgeProps<StepEdge>) {
  const { sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, markerEnd } = props;
  const [path] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  return <BaseEdge path={path} markerEnd={markerEnd} interactionWidth={props.selectable ? 18 : 0} />;
});
