// What a person changed of an earlier run's values.
import type { Json } from "../../../api/types";
import { sameJson } from "../../../lib/json";

/** Those values that differ from what they were; undefined where none does. */
export function changedValues(
  before: { [name: string]: Json },
  after: { [name: string]: Json },
): { [name: string]: Json } | undefined {
  const changed = Object.entries(after).filter(([name, value]) => !sameJson(before[name], value));
  return changed.length > 0 ? Object.fromEntries(changed) : undefined;
}

/** The value, where it differs from what it was. */
export function changedValue(before: unknown, after: Json | undefined): Json | undefined {
  return after === undefined || sameJson(before, after) ? undefined : after;
}
