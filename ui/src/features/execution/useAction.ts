import { useCallback, useState } from "react";

/** Does something on the server, and keeps whether it is under way and why it failed. */
export function useAction<Arguments extends unknown[]>(
  act: (...args: Arguments) => Promise<unknown>,
): { busy: boolean; error: unknown; run: (...args: Arguments) => Promise<boolean>; reset: () => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = async (...args: Arguments) => {
    setBusy(true);
    setError(undefined);
    try {
      await act(...args);
      return true;
    } catch (failure) {
      setError(failure);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run, reset: useCallback(() => setError(undefined), []) };
}
