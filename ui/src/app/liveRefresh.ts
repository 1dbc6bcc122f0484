import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { events, workflowNotice } from "../api/live";
import { keys, refreshExecutions } from "../api/queries";

const gather = 250;

/**
 * Asks again for lists and counts when executions start, change or end, and
 * when workflows are saved. Many events at once lead to one round of questions.
 */
export function useLiveRefresh(): void {
  const queries = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
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
      timer ??= setTimeout(() => {
        timer = undefined;
        void refreshExecutions(queries);
      }, gather);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [queries]);
}
