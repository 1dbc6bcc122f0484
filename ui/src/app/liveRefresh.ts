import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { events } from "../api/live";
import { keys, refreshExecutions } from "../api/queries";

const gather = 250;

/**
 * Asks again for lists and counts when executions start, change or end. Many
 * events at once lead to one round of questions.
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
