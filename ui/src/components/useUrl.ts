import { useCallback } from "react";
import { useSearchParams } from "wouter";

/**
 * What a page shows, kept in the address so that it can be reloaded, shared
 * and gone back to. A value that is empty, or what it is by default, is not
 * written. set takes several at once; typing replaces the entry of the history
 * instead of making one a letter.
 */
export function useUrl<Name extends string>(
  defaults: Record<Name, string>,
): [Record<Name, string>, (next: Partial<Record<Name, string>>, options?: { push?: boolean }) => void] {
  const [params, setParams] = useSearchParams();
  const values = { ...defaults };
  for (const name of Object.keys(defaults) as Name[]) values[name] = params.get(name) ?? defaults[name];
  const set = useCallback(
    (next: Partial<Record<Name, string>>, { push = false } = {}) => {
      setParams(
        (now) => {
          const made = new URLSearchParams(now);
          for (const [name, value] of Object.entries(next) as [Name, string][]) {
            if (value === "" || value === defaults[name]) made.delete(name);
            else made.set(name, value);
          }
          return made;
        },
        { replace: !push },
      );
    },
    [setParams, defaults],
  );
  return [values, set];
}
