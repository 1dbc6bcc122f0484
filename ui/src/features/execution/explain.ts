import { queryOptions } from "@tanstack/react-query";
import { client, take } from "../../api/client";
import { keys } from "../../api/queries";

/** Why a run and its steps are as they are; asked anew as the run goes on. */
export function explainQuery(id: string, seq: number) {
  return queryOptions({
    queryKey: [...keys.execution(id), "explain", seq] as const,
    queryFn: ({ signal }) =>
      take(client.GET("/api/vwmp/executions/{id}/explain/", { params: { path: { id } }, signal })),
    placeholderData: (before) => before,
  });
}
