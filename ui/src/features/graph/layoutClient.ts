// Asks the layout worker. It is started for the first question and ends when
// nobody has asked for a while, so that an open page holds no idle thread.
import type { Point } from "./geometry";
import type { LayoutStep } from "./layout";
import type { LayoutAnswer, LayoutRequest } from "./layout.worker";

const idle = 30_000;

let worker: Worker | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let last = 0;
const open = new Map<number, { resolve: (places: Map<string, Point>) => void; reject: (error: Error) => void }>();

function end(error?: Error): void {
  worker?.terminate();
  worker = undefined;
  for (const { reject } of open.values()) reject(error ?? new Error("the layout was stopped"));
  open.clear();
}

function start(): Worker {
  const started = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
  started.onmessage = ({ data }: MessageEvent<LayoutAnswer>) => {
    const asked = open.get(data.number);
    open.delete(data.number);
    if (data.places) asked?.resolve(data.places);
    else asked?.reject(new Error(data.error));
    if (open.size === 0) timer = setTimeout(end, idle);
  };
  started.onerror = () => end(new Error("the layout worker could not be loaded"));
  return started;
}

/** Places for all steps, from left to right. */
export function askLayout(steps: readonly LayoutStep[]): Promise<Map<string, Point>> {
  clearTimeout(timer);
  worker ??= start();
  const number = ++last;
  return new Promise((resolve, reject) => {
    open.set(number, { resolve, reject });
    worker?.postMessage({
      number,
      steps: steps.map(({ id, dependencies }) => ({ id, dependencies })),
    } satisfies LayoutRequest);
  });
}
