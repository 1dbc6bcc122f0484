import { useReactFlow, useStore } from "@xyflow/react";
import { Maximize, Minus, Plus } from "lucide-react";
import { IconButton } from "../../components/Button";
import { Tooltip } from "../../components/Tooltip";
import styles from "./graph.module.css";

/** Whether the person asked for less motion. */
export function prefersStill(): boolean {
  return globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;
}

/** Zoom in, out, to everything and to 100 %. */
export function ZoomButtons() {
  const flow = useReactFlow();
  const zoom = useStore((state) => Math.round(state.transform[2] * 100));
  const duration = () => (prefersStill() ? 0 : 180);
  return (
    <fieldset className={styles.zoom} aria-label="Zoom">
      <IconButton label="Zoom in" icon={<Plus />} onClick={() => void flow.zoomIn({ duration: duration() })} />
      <IconButton label="Zoom out" icon={<Minus />} onClick={() => void flow.zoomOut({ duration: duration() })} />
      <IconButton
        label="Show everything"
        icon={<Maximize />}
        onClick={() => void flow.fitView({ padding: 0.1, maxZoom: 1, duration: duration() })}
      />
      <Tooltip text="Zoom to 100 %">
        <button
          type="button"
          className={styles.percent}
          aria-label={`Zoom to 100 %, now ${zoom} %`}
          onClick={() => void flow.zoomTo(1, { duration: duration() })}
        >
          {zoom} %
        </button>
      </Tooltip>
    </fieldset>
  );
}
