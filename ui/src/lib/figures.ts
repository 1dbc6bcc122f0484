// Figures about executions, as the pages show them. No React.

interface Ended {
  success: number;
  partial: number;
  failed: number;
}

/**
 * The share of successes, from 0 to 1, among executions that ended by
 * themselves: a person who cancels one says nothing about how well it went.
 * Undefined where none did.
 */
export function successRate({ success, partial, failed }: Ended): number | undefined {
  const all = success + partial + failed;
  return all > 0 ? success / all : undefined;
}

const percentages = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });

/** A share for a person. What is not whole never reads as 100 %. */
export function rateText(rate: number | undefined): string {
  if (rate === undefined) return "–";
  return percentages.format(rate < 1 ? Math.min(rate, 0.999) : 1).replace(/(\d)%/, "$1 %");
}

/** How a count stands beside the one before: "12 more than the day before". */
export function comparison(now: number, before: number, than: string): string {
  if (now === before) return `as many as ${than}`;
  const difference = new Intl.NumberFormat().format(Math.abs(now - before));
  return `${difference} ${now > before ? "more" : "fewer"} than ${than}`;
}

/** Round numbers from 0 up to the largest value or a little above, at most four steps of them. */
export function scale(largest: number): number[] {
  if (!(largest > 0)) return [0, 1];
  const rough = largest / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power);
  const ticks = [0];
  while (ticks.at(-1)! < largest) ticks.push(ticks.length * step);
  return ticks;
}
