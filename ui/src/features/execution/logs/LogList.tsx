import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDownToLine } from "lucide-react";
import {
  type KeyboardEvent,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { Button } from "../../../components/Button";
import { CopyButton } from "../../../components/CopyButton";
import { cx } from "../../../components/cx";
import { count } from "../../../lib/text";
import { exactClock } from "../../../lib/time";
import { LogText } from "../../run/LogText";
import type { Shown } from "../../run/shown";
import { type Line, rowsOf } from "../model/logs";
import styles from "./LogList.module.css";

const rowHeight = 20;
/** How far from the end still counts as the end, in pixels. */
const atEnd = 24;

export interface LogListHandle {
  /** Makes a line the current one and brings it into view. */
  goTo(index: number): void;
}

interface LogListProps {
  lines: readonly Line[];
  wrap: boolean;
  /** Marks this text wherever it stands. */
  mark: string;
  /** The current line, which is copied and from which a search goes on; -1 for none. */
  current: number;
  onCurrent: (index: number) => void;
  shown: Shown;
  /** The name of a step, where lines of several are listed. */
  stepName?: (id: string) => string;
  ref?: Ref<LogListHandle>;
}

/** Keeps the newest line in view until the person scrolls up. */
function useFollow(scroller: { current: HTMLElement | null }, length: number, toEnd: () => void) {
  const [following, setFollowing] = useState(true);
  const top = useRef(0);
  const left = useRef(0);
  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const distance = element.scrollHeight - element.clientHeight - element.scrollTop;
    if (distance <= atEnd) setFollowing(true);
    else if (element.scrollTop < top.current - 1) setFollowing(false);
    top.current = element.scrollTop;
  }, [scroller]);
  useLayoutEffect(() => {
    if (following) {
      left.current = length;
      if (length > 0) toEnd();
    }
  }, [following, length, toEnd]);
  return { following, setFollowing, onScroll, fresh: Math.max(0, length - left.current) };
}

/** Lines of a log, of which only those in view are drawn. */
export function LogList({ lines, wrap, mark, current, onCurrent, shown, stepName, ref }: LogListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => rowsOf(lines[index]!) * rowHeight,
    getItemKey: (index) => lines[index]!.seq,
    overscan: 12,
  });
  const last = lines.length - 1;
  const toEnd = useCallback(() => rows.scrollToIndex(last, { align: "end" }), [rows, last]);
  const { following, setFollowing, onScroll, fresh } = useFollow(scroller, lines.length, toEnd);

  // biome-ignore lint/correctness/useExhaustiveDependencies: all heights change with the way lines are broken.
  useEffect(() => rows.measure(), [wrap, rows]);

  const goTo = useCallback(
    (index: number) => {
      if (index < last) setFollowing(false);
      onCurrent(index);
      rows.scrollToIndex(index, { align: "auto" });
    },
    [last, onCurrent, rows, setFollowing],
  );
  useImperativeHandle(ref, () => ({ goTo }), [goTo]);

  const onKeyDown = (event: KeyboardEvent) => {
    const from = current >= 0 ? current : last;
    const to = { ArrowUp: Math.max(0, from - 1), ArrowDown: Math.min(last, from + 1), Home: 0, End: last }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    goTo(current < 0 && event.key === "ArrowUp" ? last : to);
    if (to === last) setFollowing(true);
  };

  return (
    <div className={styles.frame}>
      <div
        ref={scroller}
        className={cx(styles.scroller, wrap && styles.wrap)}
        role="listbox"
        aria-label="Log lines"
        aria-activedescendant={current >= 0 ? `log-${current}` : undefined}
        tabIndex={0}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
      >
        <div role="presentation" style={{ height: rows.getTotalSize(), position: "relative" }}>
          {rows.getVirtualItems().map(({ index, start, key }) => (
            <Row
              key={key}
              line={lines[index]!}
              index={index}
              top={start}
              size={lines.length}
              current={index === current}
              measure={wrap ? rows.measureElement : undefined}
              mark={mark}
              shown={shown}
              stepName={stepName}
              onChoose={onCurrent}
            />
          ))}
        </div>
      </div>
      {!following && (
        <Button
          className={styles.jump}
          size="small"
          icon={<ArrowDownToLine />}
          onClick={() => {
            setFollowing(true);
            toEnd();
            scroller.current?.focus();
          }}
        >
          Jump to newest{fresh > 0 && ` (${new Intl.NumberFormat().format(fresh)} new)`}
        </Button>
      )}
      {current >= 0 && lines[current] && (
        <div className={styles.copy}>
          <CopyButton iconOnly label="Copy line" text={() => lines[current]!.plain} />
          <span className="visually-hidden">{count(current + 1, "line")}</span>
        </div>
      )}
    </div>
  );
}

interface RowProps extends Pick<LogListProps, "mark" | "shown" | "stepName"> {
  line: Line;
  index: number;
  top: number;
  size: number;
  current: boolean;
  measure?: (element: HTMLElement | null) => void;
  onChoose: (index: number) => void;
}

function Row({ line, index, top, size, current, measure, mark, shown, stepName, onChoose }: RowProps) {
  const loud = line.level === "warning" || line.level === "error";
  return (
    // The list handles the keys of its rows.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above.
    // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus and names its current row.
    <div
      ref={measure}
      id={`log-${index}`}
      data-index={index}
      role="option"
      aria-selected={current}
      aria-posinset={index + 1}
      aria-setsize={size}
      className={styles.row}
      data-level={line.level}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onChoose(index)}
    >
      <span className={styles.time}>{exactClock(line.time)}</span>
      {stepName && <span className={styles.step}>{stepName(line.step)}</span>}
      {line.item !== undefined && <span className={styles.item}>#{line.item}</span>}
      {loud && <span className={styles.level}>{line.level}</span>}
      <span className={styles.text}>
        <LogText text={shown.text(line.text)} mark={mark} />
        {line.fields && <span className={styles.fields}> {shown.text(line.fields)}</span>}
      </span>
    </div>
  );
}
