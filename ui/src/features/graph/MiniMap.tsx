import { MiniMap as Base, type MiniMapNodeProps } from "@xyflow/react";
import { memo } from "react";
import { cx } from "../../components/cx";
import styles from "./graph.module.css";
import { type StepStatus, useStatus } from "./status";

/**
 * Makes the small map in the corner, given the hook that tells where a step
 * is. The canvas and the list of steps say all that it shows, so it is hidden
 * from screen readers.
 */
export function makeMiniMap(useStepStatus: (id: string) => StepStatus | undefined) {
  const Card = memo(function Card({ id, x, y, width, height, selected }: MiniMapNodeProps) {
    const status = useStepStatus(id);
    return (
      <rect
        className={cx(styles.mini, selected && styles.chosen)}
        data-status={status?.status}
        x={x}
        y={y}
        width={width}
        height={height}
        rx={8}
      />
    );
  });
  return memo(function MiniMap() {
    return (
      <Base
        aria-hidden="true"
        ariaLabel={null}
        position="bottom-right"
        pannable
        zoomable
        nodeComponent={Card}
        style={{ width: 184, height: 132 }}
      />
    );
  });
}

export const MiniMap = makeMiniMap(useStatus);
