import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { events, workflowNotice } from "../api/live";
import { keys, refreshExecutions } from "../api/queries";

/** How long the first event waits for others, and how far rounds are apart, in milliseconds. */
const gather = 150;
const apart = 700;

/**
 * Asks again for lists and counts when executions start, change or end, and
 * when workflows are saved. Many events at once lead to one round of questions,
 * and a busy server to no more than one round in 700 ms; what is shown is never
 * a second old.
 */
export function useLiveRefresh(): void {
  const queries = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = 0;
    const stop = events.onEvent((event) => {
      if (event.event === "plugins_changed") {
        void queries.invalidateQueries({ queryKey: keys.plugins });
        void queries.invalidateQueries({ queryKey: keys.handlers });
        void queries.invalidateQueries({ queryKey: ["handler"] });
        void queries.invalidateQueries({ queryKey: keys.types });
        return;
      }
      const saved = workflowNotice(event);
      if (saved) {
        void queries.invalidateQueries({ queryKey: keys.workflow(saved.workflow_id) });
        void queries.invalidateQueries({ queryKey: keys.triggers });
      }
      timer ??= setTimeout(
        () => {
          timer = undefined;
          last = performance.now();
          void refreshExecutions(queries);
        },
        Math.max(gather, last + apart - performance.now()),
      );
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [queries]);
}
