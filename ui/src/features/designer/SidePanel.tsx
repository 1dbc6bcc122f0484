// A panel at a side of the canvas: its width is changed by pointer or keyboard
// and remembered, and it folds to a rail with one button.
import { PanelLeftClose, PanelLeftOpen, PanelRightClose, PanelRightOpen } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, type ReactNode, type Ref, useState } from "react";
import { IconButton } from "../../components/Button";
import { cx } from "../../components/cx";
import styles from "./SidePanel.module.css";

/** Pixels that an arrow key changes the width by. */
const press = 16;

interface SidePanelProps {
  side: "left" | "right";
  /** Its name: the landmark's, and part of its buttons' names. */
  label: string;
  /** What its width is remembered under. */
  name: string;
  /** The width at first, and its bounds, in pixels. */
  width: { first: number; least: number; most: number };
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** Fills its parent: it has the screen for itself. */
  alone?: boolean;
  ref?: Ref<HTMLElement>;
  onFocus?: () => void;
  onKeyDown?: (event: KeyboardEvent) => void;
  children: ReactNode;
}

function remembered(name: string, first: number): number {
  try {
    const kept = Number(localStorage.getItem(`vwmp.width.${name}`));
    return kept > 0 ? kept : first;
  } catch {
    return first;
  }
}

function remember(name: string, width: number): void {
  try {
    localStorage.setItem(`vwmp.width.${name}`, String(width));
  } catch {
    // It then lasts as long as the page.
  }
}

export function SidePanel({
  side,
  label,
  name,
  width: bounds,
  open,
  onOpenChange,
  alone,
  ref,
  onFocus,
  onKeyDown,
  children,
}: SidePanelProps) {
  const [wanted, setWanted] = useState(() => remembered(name, bounds.first));
  const width = Math.round(Math.min(bounds.most, Math.max(bounds.least, wanted)));
  const outwards = side === "left" ? 1 : -1;
  const what = label.toLowerCase();
  const change = (next: number) => {
    const kept = Math.min(bounds.most, Math.max(bounds.least, next));
    setWanted(kept);
    remember(name, Math.round(kept));
  };
  const resizeByKey = (event: KeyboardEvent) => {
    const moves: { [key: string]: number } = {
      ArrowLeft: width - press * outwards,
      ArrowRight: width + press * outwards,
      Home: bounds.least,
      End: bounds.most,
    };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    change(next);
  };
  const resizeByPointer = (event: PointerEvent<HTMLElement>) => {
    const line = event.currentTarget;
    const start = event.clientX;
    line.setPointerCapture(event.pointerId);
    const move = (moved: globalThis.PointerEvent) => change(width + (moved.clientX - start) * outwards);
    const end = () => {
      line.removeEventListener("pointermove", move);
      line.removeEventListener("lostpointercapture", end);
    };
    line.addEventListener("pointermove", move);
    line.addEventListener("lostpointercapture", end);
  };

  if (!open && !alone) {
    return (
      <aside className={cx(styles.rail, styles[side])} aria-label={label}>
        <IconButton
          label={`Show the ${what}`}
          icon={side === "left" ? <PanelLeftOpen /> : <PanelRightOpen />}
          aria-expanded="false"
          onClick={() => onOpenChange(true)}
        />
      </aside>
    );
  }
  return (
    <aside
      ref={ref}
      className={cx(styles.panel, styles[side], alone && styles.alone)}
      style={alone ? undefined : { width }}
      aria-label={label}
      tabIndex={-1}
      onFocus={onFocus}
      onKeyDown={onKeyDown}
    >
      {!alone && (
        <>
          {/* biome-ignore lint/a11y/useSemanticElements: a separator that is moved, which hr is not. */}
          <div
            className={styles.line}
            role="separator"
            aria-orientation="vertical"
            aria-label={`Width of the ${what}`}
            aria-valuenow={width}
            aria-valuemin={bounds.least}
            aria-valuemax={bounds.most}
            tabIndex={0}
            onKeyDown={resizeByKey}
            onPointerDown={resizeByPointer}
            onDoubleClick={() => change(bounds.first)}
          />
          <IconButton
            className={styles.fold}
            label={`Hide the ${what}`}
            size="small"
            icon={side === "left" ? <PanelLeftClose /> : <PanelRightClose />}
            aria-expanded="true"
            onClick={() => onOpenChange(false)}
          />
        </>
      )}
      {children}
    </aside>
  );
}
