import { useQuery } from "@tanstack/react-query";
import { handlersQuery } from "../../api/queries";
import type { HandlerSummary, StepDefinition } from "../../api/types";

export type Handlers = ReadonlyMap<string, HandlerSummary>;

const byPath = new WeakMap<HandlerSummary[], Handlers>();

function mapOf(list: HandlerSummary[]): Handlers {
  let map = byPath.get(list);
  if (!map) {
    map = new Map(list.map((handler) => [handler.path, handler]));
    byPath.set(list, map);
  }
  return map;
}

/** The handlers that the server has, by path; undefined until they are known. */
export function useHandlers(): Handlers | undefined {
  const { data } = useQuery(handlersQuery);
  return data && mapOf(data);
}

/** What a step is called: its own name, else its handler's, else the last part of the handler's path. */
export function titleOf(step: StepDefinition, handlers: Handlers | undefined): string {
  return step.name || handlers?.get(step.handler)?.name || step.handler.split(".").at(-1) || step.id;
}
