import { EdgeLabelRenderer, useInternalNode, useStore } from "@xyflow/react";
import { Plus, Trash2 } from "lucide-react";
import { IconButton } from "../../../components/Button";
import { edgeEnds } from "../../graph/elements";
import { card } from "../../graph/geometry";
import { useCommands } from "../commands";
import { useDesignerState } from "../context";
import { useViewStore } from "../view";
import styles from "./Canvas.module.css";

function Tools({ edge, from, to }: { edge: string; from: string; to: string }) {
  const commands = useCommands();
  const view = useViewStore();
  const source = useInternalNode(from);
  const target = useInternalNode(to);
  // Zoomed out they would be too small to press, so they keep their size.
  const size = useStore(({ transform: [, , zoom] }) => Math.max(1, 1 / zoom));
  if (!source || !target) return null;
  const [start, end] = [source.internals.positionAbsolute, target.internals.positionAbsolute];
  const x = (start.x + card.width + end.x) / 2;
  const y = (start.y + end.y) / 2 + card.height / 2;
  return (
    <EdgeLabelRenderer>
      <fieldset
        className={`${styles.edgeTools} nodrag nopan`}
        style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px) scale(${size})` }}
        aria-label={`Connection from ${from} to ${to}`}
      >
        <IconButton
          label="Insert a step here"
          size="small"
          icon={<Plus />}
          onClick={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            view.getState().set({ quickAdd: { into: edge, screen: { x: box.left, y: box.bottom + 6 } } });
          }}
        />
        <IconButton
          label="Delete the connection"
          hint="Delete"
          size="small"
          icon={<Trash2 />}
          onClick={() => {
            commands.disconnect(edge);
            view.getState().canvas?.focus();
          }}
        />
      </fieldset>
    </EdgeLabelRenderer>
  );
}

/** What can be done with the selected connection, at its middle. */
export function EdgeTools() {
  const edge = useDesignerState((state) => state.selectedEdge);
  if (edge === null) return null;
  return <Tools key={edge} edge={edge} {...edgeEnds(edge)} />;
}
