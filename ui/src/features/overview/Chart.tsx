import { ChartColumn, Table2 } from "lucide-react";
import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { Button } from "../../components/Button";
import { Card } from "../../components/Card";
import { Skeleton } from "../../components/Skeleton";
import { Cell, Table } from "../../components/Table";
import { scale } from "../../lib/figures";
import { duration, shortDay } from "../../lib/time";
import styles from "./Chart.module.css";
import { type Day, dayText, labelEvery, parts, sentence, stack } from "./chart";

const height = 160;
const axis = 34;
const widest = 24;

function Bars({ days, onPoint }: { days: readonly Day[]; onPoint: (day: Day | undefined) => void }) {
  const svg = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = svg.current!;
    const measure = () => setWidth(element.clientWidth || element.getBoundingClientRect().width);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const ticks = useMemo(() => scale(Math.max(0, ...days.map((day) => day.total))), [days]);
  const top = ticks.at(-1)!;
  const band = Math.max(0, width - axis) / days.length;
  const bar = Math.min(widest, band * 0.62);
  const every = labelEvery(days.length, width - axis);
  return (
    <svg ref={svg} className={styles.plot} role="img" aria-label={sentence(days)}>
      {width > 0 && (
        <g transform="translate(0 8)">
          {ticks.map((tick) => {
            const y = Math.round(height - (tick / top) * height);
            return (
              <g key={tick}>
                <line className={styles.grid} x1={axis} x2={width} y1={y} y2={y} />
                <text x={axis - 8} y={y + 4} textAnchor="end">
                  {tick}
                </text>
              </g>
            );
          })}
          {days.map((day, index) => {
            const middle = axis + band * (index + 0.5);
            return (
              <g key={day.date} onPointerEnter={() => onPoint(day)} onPointerLeave={() => onPoint(undefined)}>
                <rect className={styles.band} x={middle - band / 2} y={0} width={band} height={height} rx={4} />
                {stack(day, top, height).map((piece) => (
                  <rect
                    key={piece.status}
                    className={styles.piece}
                    data-status={piece.status}
                    x={middle - bar / 2}
                    y={piece.y}
                    width={bar}
                    height={piece.height}
                    rx={Math.min(3, piece.height / 2)}
                    pointerEvents="none"
                  />
                ))}
                {(days.length - 1 - index) % every === 0 && (
                  <text x={middle} y={height + 20} textAnchor="middle">
                    {shortDay(day.date)}
                  </text>
                )}
              </g>
            );
          })}
        </g>
      )}
    </svg>
  );
}

const tableColumns = [
  { id: "day", label: "Day (UTC)" },
  { id: "total", label: "Executions", end: true },
  ...parts.map(({ status, label }) => ({ id: status, label, end: true })),
  { id: "median", label: "Median duration", end: true },
];

function Days({ days }: { days: readonly Day[] }) {
  return (
    <Table label="Executions by day" columns={tableColumns} dense>
      {days.toReversed().map((day) => (
        <tr key={day.date}>
          <Cell>{shortDay(day.date)}</Cell>
          <Cell label="Executions" end>
            {day.total}
          </Cell>
          {parts.map(({ status, label, of }) => (
            <Cell key={status} label={label} end>
              {of(day)}
            </Cell>
          ))}
          <Cell label="Median duration" end>
            {day.total > day.live ? duration(day.median_time) : "–"}
          </Cell>
        </tr>
      ))}
    </Table>
  );
}

/** Executions of the last days as bars stacked by result, or as a table. */
export function Chart({ days }: { days: readonly Day[] | undefined }) {
  const [asTable, setAsTable] = useState(false);
  const [pointed, setPointed] = useState<Day>();
  const used = parts.filter(({ status, of }) => status === "success" || status === "failed" || days?.some(of));
  return (
    <Card
      title="Executions"
      aside={
        <>
          <span>Last 14 days</span>
          <Button
            size="small"
            kind="quiet"
            icon={asTable ? <ChartColumn /> : <Table2 />}
            aria-pressed={asTable}
            onClick={() => setAsTable(!asTable)}
          >
            Show as table
          </Button>
        </>
      }
    >
      {asTable && days ? (
        <Days days={days} />
      ) : (
        <figure className={styles.figure}>
          {days ? <Bars days={days} onPoint={setPointed} /> : <div className={styles.plot} />}
          <figcaption className={styles.foot}>
            <span>{days ? pointed ? dayText(pointed) : sentence(days) : <Skeleton width={320} />}</span>
            <ul className={styles.legend}>
              {used.map(({ status, label }) => (
                <li key={status}>
                  <span className={styles.swatch} data-status={status} />
                  {label}
                </li>
              ))}
            </ul>
          </figcaption>
        </figure>
      )}
    </Card>
  );
}
