import { Handle, Position, useStore } from "@xyflow/react";
import { memo, type ReactNode } from "react";
import { cx } from "../../components/cx";
import { card, farZoom } from "./geometry";
import styles from "./graph.module.css";

/** Whether the canvas is zoomed so far out that cards are plain blocks. */
export function useFar(): boolean {
  return useStore((state) => state.transform[2] < farZoom);
}

/**
 * For the library's own frame: it says that it is an application, which the
 * surface around it is already, with a name and keys.
 */
export function plainFrame(frame: HTMLDivElement | null): void {
  frame?.setAttribute("role", "presentation");
}

const dot = 11;

/**
 * Where connections end on a card. Given with the node, since an edge to a
 * card that was never drawn needs them too.
 */
export const cardHandles = [
  {
    type: "target" as const,
    position: Position.Left,
    x: -dot / 2,
    y: (card.height - dot) / 2,
    width: dot,
    height: dot,
  },
  {
    type: "source" as const,
    position: Position.Right,
    x: card.width - dot / 2,
    y: (card.height - dot) / 2,
    width: dot,
    height: dot,
  },
];

interface StepNodeFrameProps {
  connectable?: boolean;
  className?: string;
  children: ReactNode;
}

/** The card of a step with its two handles. Handles have no name: "Connect to…" is their equivalent. */
export const StepNodeFrame = memo(function StepNodeFrame({
  connectable = false,
  className,
  children,
}: StepNodeFrameProps) {
  return (
    <div className={cx(styles.node, className)}>
      {children}
      <Handle className={styles.handle} type="target" position={Position.Left} isConnectable={connectable} />
      <Handle className={styles.handle} type="source" position={Position.Right} isConnectable={connectable} />
    </div>
  );
});
