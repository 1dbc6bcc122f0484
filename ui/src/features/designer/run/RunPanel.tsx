import { lazy, Suspense, useEffect } from "react";
import { useAddress } from "../../../components/useUrl";
import { useRun, useRunState } from "../live";

const RunContent = lazy(() => import("./RunContent"));

/** The run that the designer follows. Nothing while none is. */
export function RunPanel() {
  const run = useRun();
  const follows = useRunState((state) => state.id !== null);
  const [search, change] = useAddress();
  const asked = search.get("execution");

  // The followed execution is part of the address, so that a reload goes on with it.
  useEffect(() => {
    if (asked && run.state.getState().id === null) run.follow(asked);
  }, [asked, run]);
  useEffect(
    () =>
      run.state.subscribe((now, before) => {
        if (now.id === before.id) return;
        change((params) => {
          if (now.id) params.set("execution", now.id);
          else {
            params.delete("execution");
            if (params.get("panel") === "run") params.delete("panel");
          }
        });
      }),
    [run, change],
  );
  useEffect(() => () => run.stop(), [run]);

  return follows ? (
    <Suspense>
      <RunContent />
    </Suspense>
  ) : null;
}
