// JSON pointers (RFC 6901): where in a value something is.
import type { Json } from "../api/types";

/** A key as it stands in a pointer. */
export function escapeKey(key: string | number): string {
  return String(key).replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The pointer of a key or an index below another. */
export function below(pointer: string, key: string | number): string {
  return `${pointer}/${escapeKey(key)}`;
}

/** The keys of a pointer, from the outside in. */
export function keysOf(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Whether a pointer is another, or leads into it. */
export function isWithin(pointer: string, outer: string): boolean {
  return pointer === outer || pointer.startsWith(`${outer}/`);
}

/** What a pointer leads to; undefined where it leads to nothing. */
export function valueAt(value: unknown, pointer: string): unknown {
  let found = value;
  for (const key of keysOf(pointer)) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as { [key: string]: unknown })[key];
  }
  return found;
}

/** A copy with another value at a pointer; without a value the key is taken out. */
export function withValueAt<T>(value: T, pointer: string, next: Json | undefined): T {
  return put(value, keysOf(pointer), next) as T;
}

function put(value: unknown, keys: string[], next: Json | undefined): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return next;
  if (Array.isArray(value)) {
    const items = [...value];
    const inner = put(items[Number(key)], rest, next);
    if (inner === undefined) items.splice(Number(key), 1);
    else items[Number(key)] = inner;
    return items;
  }
  const members = { ...((typeof value === "object" && value) || {}) } as { [key: string]: unknown };
  const inner = put(members[key], rest, next);
  if (inner === undefined) delete members[key];
  else members[key] = inner;
  return members;
}
