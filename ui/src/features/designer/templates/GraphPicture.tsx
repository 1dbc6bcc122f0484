import type { StepDefinition } from "../../../api/types";
import { orderOf } from "../../graph/order";
import styles from "./GraphPicture.module.css";

const block = { width: 30, height: 12, across: 16, down: 8 };

interface Block {
  id: string;
  x: number;
  y: number;
}

/** Steps in columns by when they run; a cycle stands in the order of the text. */
function blocksOf(steps: readonly StepDefinition[]): { blocks: Map<string, Block>; width: number; height: number } {
  const levels = orderOf(steps).levels ?? steps.map((step) => [step.id]);
  const tallest = Math.max(1, ...levels.map((level) => level.length));
  const height = tallest * (block.height + block.down) - block.down;
  const blocks = new Map<string, Block>();
  for (const [column, level] of levels.entries()) {
    const own = level.length * (block.height + block.down) - block.down;
    for (const [row, id] of level.entries()) {
      const y = (height - own) / 2 + row * (block.height + block.down);
      blocks.set(id, { id, x: column * (block.width + block.across), y });
    }
  }
  return { blocks, width: Math.max(1, levels.length) * (block.width + block.across) - block.across, height };
}

/** A workflow's graph as a small drawing; what it shows is said in words beside it. */
export function GraphPicture({ steps, height = 96 }: { steps: readonly StepDefinition[]; height?: number }) {
  const { blocks, width, height: tall } = blocksOf(steps);
  return (
    <svg
      className={styles.picture}
      viewBox={`-4 -4 ${width + 8} ${tall + 8}`}
      style={{ height }}
      preserveAspectRatio="xMidYMid meet"
      aria-hidden="true"
    >
      {steps.flatMap((step) =>
        (step.dependencies ?? []).flatMap((from) => {
          const a = blocks.get(from);
          const b = blocks.get(step.id);
          if (!a || !b) return [];
          const [x1, y1, x2, y2] = [a.x + block.width, a.y + block.height / 2, b.x, b.y + block.height / 2];
          const middle = (x1 + x2) / 2;
          return (
            <path
              key={`${from}>${step.id}`}
              className={styles.edge}
              d={`M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`}
            />
          );
        }),
      )}
      {[...blocks.values()].map(({ id, x, y }) => (
        <rect key={id} className={styles.block} x={x} y={y} width={block.width} height={block.height} rx={3} />
      ))}
    </svg>
  );
}
