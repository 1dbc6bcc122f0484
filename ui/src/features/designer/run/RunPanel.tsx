import { lazy, Suspense, useEffect } from "react";
import { useSearchParams } from "wouter";
import { useRun, useRunState } from "../live";

const RunContent = lazy(() => import("./RunContent"));

/** The run that the designer follows. Nothing while none is. */
export function RunPanel() {
  const run = useRun();
  const follows = useRunState((state) => state.id !== null);
  const [search, setSearch] = useSearchParams();
  const asked = search.get("execution");

  // The followed execution is part of the address, so that a reload goes on with it.
  useEffect(() => {
    if (asked && run.state.getState().id === null) run.follow(asked);
  }, [asked, run]);
  useEffect(
    () =>
      run.state.subscribe((now, before) => {
        if (now.id === before.id) return;
        setSearch(
          (params) => {
            const next = new URLSearchParams(params);
            if (now.id) next.set("execution", now.id);
            else {
              next.delete("execution");
              if (next.get("panel") === "run") next.delete("panel");
            }
            return next;
          },
          { replace: true },
        );
      }),
    [run, setSearch],
  );
  useEffect(() => () => run.stop(), [run]);

  return follows ? (
    <Suspense>
      <RunContent />
    </Suspense>
  ) : null;
}
