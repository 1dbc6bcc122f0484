import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";

/** Changes the parameters that it is given. */
export type AddressChange = (params: URLSearchParams) => void;

/**
 * The parameters of the address, and a way to change them. A change is made to
 * the address as it is at that moment and not as it was drawn, so that several
 * parts of a page can change it at once. It replaces the entry of the history
 * unless push is set.
 */
export function useAddress(): [URLSearchParams, (change: AddressChange, options?: { push?: boolean }) => void] {
  const search = useSearch();
  const params = useMemo(() => new URLSearchParams(search), [search]);
  const [, go] = useLocation();
  const change = useCallback(
    (change: AddressChange, { push = false } = {}) => {
      const { pathname, search: before } = globalThis.location;
      const changed = new URLSearchParams(before);
      change(changed);
      const after = changed.toString();
      if (after === new URLSearchParams(before).toString()) return;
      go(`~${pathname}${after && `?${after}`}`, { replace: !push });
    },
    [go],
  );
  return [params, change];
}

/**
 * What a page shows, kept in the address so that it can be reloaded, shared
 * and gone back to. A value that is empty, or what it is by default, is not
 * written. set takes several at once; typing replaces the entry of the history
 * instead of making one a letter.
 */
export function useUrl<Name extends string>(
  defaults: Record<Name, string>,
): [Record<Name, string>, (next: Partial<Record<Name, string>>, options?: { push?: boolean }) => void] {
  const [params, change] = useAddress();
  const values = { ...defaults };
  for (const name of Object.keys(defaults) as Name[]) values[name] = params.get(name) ?? defaults[name];
  const set = useCallback(
    (next: Partial<Record<Name, string>>, options?: { push?: boolean }) => {
      change((now) => {
        for (const [name, value] of Object.entries(next) as [Name, string][]) {
          if (value === "" || value === defaults[name]) now.delete(name);
          else now.set(name, value);
        }
      }, options);
    },
    [change, defaults],
  );
  return [values, set];
}
