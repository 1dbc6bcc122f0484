import type { ReactNode } from "react";
import { Link } from "wouter";
import { mostLive } from "../../api/queries";
import type { ExecutionSummary, Stats } from "../../api/types";
import { Skeleton } from "../../components/Skeleton";
import { comparison, rateText, successRate } from "../../lib/figures";
import { duration } from "../../lib/time";
import styles from "./Tiles.module.css";

interface TileProps {
  label: string;
  figure: ReactNode;
  detail: ReactNode;
  href: string;
}

function Tile({ label, figure, detail, href }: TileProps) {
  return (
    <Link href={href} className={styles.tile}>
      <span className={styles.label}>{label}</span>
      <span className={styles.figure}>{figure ?? <Skeleton width={84} height={22} />}</span>
      <span className={styles.detail}>{detail ?? <Skeleton width={120} />}</span>
    </Link>
  );
}

function rateDetail(now: number | undefined, before: number | undefined): string {
  if (now === undefined) return "nothing ended in 24 h";
  if (before === undefined) return "last 24 h";
  return `${rateText(before)} the day before`;
}

interface TilesProps {
  stats: Stats | undefined;
  live: readonly ExecutionSummary[] | undefined;
}

/** Four figures, each a way to the executions behind it. */
export function Tiles({ stats, live }: TilesProps) {
  const last = stats?.last_24h;
  const before = stats?.previous_24h;
  const rate = last && successRate(last);
  const ended = last && last.total - last.live;
  const waiting = live?.filter((each) => each.status !== "running" && each.status !== "pending").length;
  const running = live && live.length >= mostLive && stats ? stats.live : live && live.length - waiting!;
  return (
    <div className={styles.tiles}>
      <Tile
        label="Executions, 24 h"
        figure={last && new Intl.NumberFormat().format(last.total)}
        detail={last && before && comparison(last.total, before.total, "the day before")}
        href="/executions?range=24h"
      />
      <Tile
        label="Success rate, 24 h"
        figure={last && rateText(rate)}
        detail={last && before && rateDetail(rate, successRate(before))}
        href="/executions?range=24h&result=failed"
      />
      <Tile
        label="Median duration, 24 h"
        figure={last && (ended ? duration(last.median_time) : "–")}
        detail={last && (ended ? `95th percentile ${duration(last.p95_time)}` : "nothing ended in 24 h")}
        href="/executions?range=24h&result=ended"
      />
      <Tile
        label="Running now"
        figure={running === undefined ? undefined : new Intl.NumberFormat().format(running)}
        detail={waiting === undefined ? undefined : `${waiting} waiting or paused`}
        href="/executions?result=live"
      />
    </div>
  );
}
