// Comparing and carrying over values of JSON. Nothing here knows a workflow,
// but that items of lists mostly have an id, a name or a value to be known by.

type Fields = { [key: string]: unknown };

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether two values are the same JSON, whatever the order of keys; keys without a value count as absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Fields;
  const right = b as Fields;
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  for (const name of names) if (!sameJson(left[name], right[name])) return false;
  return true;
}

/** What tells an item of a list from its neighbours; undefined where nothing does. */
function nameOf(item: unknown): string | undefined {
  if (!isObject(item)) return undefined;
  for (const key of ["id", "name", "value"]) {
    if (typeof item[key] === "string") return `${key}:${item[key]}`;
  }
  return undefined;
}

function namesOf(items: readonly unknown[]): Map<string, number> | undefined {
  const index = new Map<string, number>();
  for (const [at, item] of items.entries()) {
    const name = nameOf(item);
    if (name === undefined || index.has(name)) return undefined;
    index.set(name, at);
  }
  return index;
}

/**
 * Pairs the items of a list with those of another: for each item of to the
 * index of its counterpart in from, or -1. By name where all have one of
 * their own; otherwise what is equal at both ends. What is left between two
 * pairs is one item changed, where it is as many on both sides.
 */
export function matchItems(from: readonly unknown[], to: readonly unknown[]): number[] {
  const pairs = to.map(() => -1);
  const index = namesOf(from);
  if (index) {
    const used = new Set<number>();
    for (const [i, item] of to.entries()) {
      const at = index.get(nameOf(item) ?? "");
      if (at === undefined || used.has(at)) continue;
      used.add(at);
      pairs[i] = at;
    }
  } else {
    matchEnds(from, to, pairs);
  }
  pairLeftovers(from.length, pairs);
  return pairs;
}

function matchEnds(from: readonly unknown[], to: readonly unknown[], pairs: number[]): void {
  let first = 0;
  while (first < from.length && first < to.length && sameJson(from[first], to[first])) {
    pairs[first] = first;
    first++;
  }
  const shorter = Math.min(from.length, to.length) - first;
  for (let last = 1; last <= shorter && sameJson(from.at(-last), to.at(-last)); last++) {
    pairs[to.length - last] = from.length - last;
  }
}

function pairLeftovers(from: number, pairs: number[]): void {
  const used = new Set(pairs);
  for (let i = 0; i < pairs.length; i++) {
    if (pairs[i]! >= 0) continue;
    let end = i;
    while (end < pairs.length && pairs[end]! < 0) end++;
    const start = i > 0 ? pairs[i - 1]! + 1 : 0;
    let free = start;
    while (free < from && !used.has(free)) free++;
    if (free - start === end - i) {
      for (let k = i; k < end; k++) {
        pairs[k] = start + k - i;
        used.add(start + k - i);
      }
    }
    i = end;
  }
}

/**
 * Makes the change that leads from one value to another on a third value that
 * says the same as the first in other words. What the change does not touch
 * stays as it is, down to the identity of objects.
 */
export function carry(onto: unknown, from: unknown, to: unknown): unknown {
  if (sameJson(from, to)) return onto;
  if (isObject(onto) && isObject(from) && isObject(to)) return carryFields(onto, from, to);
  if (Array.isArray(onto) && Array.isArray(from) && Array.isArray(to) && onto.length === from.length) {
    const pairs = matchItems(from, to);
    return to.map((item, i) => (pairs[i]! < 0 ? item : carry(onto[pairs[i]!], from[pairs[i]!], item)));
  }
  return sameJson(onto, to) ? onto : to;
}

function carryFields(onto: Fields, from: Fields, to: Fields): Fields {
  const result = { ...onto };
  for (const key of Object.keys(from)) {
    if (to[key] === undefined) delete result[key];
  }
  for (const [key, value] of Object.entries(to)) {
    if (value === undefined) continue;
    result[key] = result[key] === undefined && from[key] === undefined ? value : carry(result[key], from[key], value);
  }
  return result;
}
