import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import styles from "./Splitter.module.css";

interface SplitterProps {
  /** What it sizes: "Width of the settings". */
  label: string;
  /** The side of the splitter that the sized panel is on. */
  panel: "left" | "right" | "below";
  size: number;
  min: number;
  max: number;
  /** The size that a double click goes back to. */
  normal: number;
  onSize: (size: number) => void;
}

/** How far a key moves it, in pixels. */
const small = 16;
const large = 64;

/** The edge of a panel, which moves by pointer and by arrow keys. */
export function Splitter({ label, panel, size, min, max, normal, onSize }: SplitterProps) {
  const from = useRef<{ at: number; size: number }>(undefined);
  const upright = panel !== "below";
  const set = (next: number) => onSize(Math.round(Math.min(max, Math.max(min, next))));
  const position = (event: PointerEvent) => (upright ? event.clientX : event.clientY);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.shiftKey ? large : small;
    const grow = { left: "ArrowRight", right: "ArrowLeft", below: "ArrowUp" }[panel];
    const shrink = { left: "ArrowLeft", right: "ArrowRight", below: "ArrowDown" }[panel];
    if (event.key === grow) set(size + by);
    else if (event.key === shrink) set(size - by);
    else if (event.key === "Home") set(min);
    else if (event.key === "End") set(max);
    else if (event.key === "Enter") set(normal);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: an hr can't be moved; a splitter with a value is a widget.
    <div
      role="separator"
      className={styles.splitter}
      data-panel={panel}
      aria-label={label}
      aria-orientation={upright ? "vertical" : "horizontal"}
      aria-valuenow={size}
      aria-valuemin={min}
      aria-valuemax={max}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onDoubleClick={() => set(normal)}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { at: position(event), size };
      }}
      onPointerMove={(event) => {
        if (!from.current) return;
        const moved = position(event) - from.current.at;
        set(from.current.size + (panel === "left" ? moved : -moved));
      }}
      onPointerUp={() => {
        from.current = undefined;
      }}
      onPointerCancel={() => {
        from.current = undefined;
      }}
    />
  );
}

/** A size that this browser remembers under a name. */
export function useKeptSize(name: string, normal: number): [number, (size: number) => void] {
  const key = `vwmp.size.${name}`;
  const [size, setSize] = useState(() => {
    try {
      return Number(localStorage.getItem(key)) || normal;
    } catch {
      return normal;
    }
  });
  return [
    size,
    (next) => {
      setSize(next);
      try {
        localStorage.setItem(key, String(next));
      } catch {
        // It then lasts as long as the page.
      }
    },
  ];
}
