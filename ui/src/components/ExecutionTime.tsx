import { hasEnded } from "../api/types";
import { duration, secondsBetween } from "../lib/time";
import { useNow } from "./useNow";

function Ticking({ from }: { from: string }) {
  return duration(Math.floor(secondsBetween(from, null, useNow(1000))));
}

interface ExecutionTimeProps {
  status: string;
  started: string;
  /** Seconds, of one that has ended. */
  total: number;
}

/** How long an execution took; while it goes on, how long it has taken so far. */
export function ExecutionTime({ status, started, total }: ExecutionTimeProps) {
  return hasEnded(status) ? duration(total) : <Ticking from={started} />;
}
