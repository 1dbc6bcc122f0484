// How well what is found fits what was searched, so that Enter picks what was meant.

/**
 * 0 where the first text begins with the query, else 1 and up by the first of
 * the texts that holds it as it stands. The weightiest text comes first.
 */
export function rankOf(query: string, ...texts: (string | null | undefined)[]): number {
  const wanted = query.trim().toLocaleLowerCase();
  const held = texts.map((text) => (text ?? "").toLocaleLowerCase());
  if (held[0]?.startsWith(wanted)) return 0;
  const at = held.findIndex((text) => text.includes(wanted));
  return at < 0 ? held.length + 1 : at + 1;
}

/** The list with the best groups first, and the best first in each. What fits equally keeps its order. */
export function byRank<T>(list: readonly T[], rank: (item: T) => number, groupOf: (item: T) => string): T[] {
  const groups = new Map<string, { best: number; items: { item: T; fits: number }[] }>();
  for (const item of list) {
    const fits = rank(item);
    const group = groups.get(groupOf(item)) ?? { best: fits, items: [] };
    group.best = Math.min(group.best, fits);
    group.items.push({ item, fits });
    groups.set(groupOf(item), group);
  }
  return [...groups.values()]
    .sort((a, b) => a.best - b.best)
    .flatMap(({ items }) => items.sort((a, b) => a.fits - b.fits).map(({ item }) => item));
}
