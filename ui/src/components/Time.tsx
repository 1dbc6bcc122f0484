import { exactTime, relativeTime } from "../lib/time";
import { useNow } from "./useNow";

/** How long ago something was, with the exact time as title. */
export function Ago({ time }: { time: string }) {
  const now = useNow(10_000);
  const exact = exactTime(time);
  return (
    <time dateTime={time} title={exact}>
      {relativeTime(time, now)}
      <span className="visually-hidden">, {exact}</span>
    </time>
  );
}
