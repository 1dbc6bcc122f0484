import { useQuery } from "@tanstack/react-query";
import { createContext, useContext } from "react";
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

/** The same for the cards of a graph: one question for all of them. */
export const HandlersContext = createContext<Handlers | undefined>(undefined);

export interface StepLook {
  /** The step's own name, else its handler's, else the last part of the handler's path. */
  title: string;
  /** The lucide name of the handler's icon. */
  icon?: string;
  /** No plugin has the handler. False until the handlers are known. */
  unknown: boolean;
}

/** How a step is called and drawn. */
export function lookOf(step: StepDefinition, handlers: Handlers | undefined): StepLook {
  const handler = handlers?.get(step.handler);
  return {
    title:
      step.name ||
      handler?.name ||
      String(step.handler ?? "")
        .split(".")
        .at(-1) ||
      step.id,
    icon: handler?.icon,
    unknown: handlers !== undefined && !handler,
  };
}

/** How a step of the graph around is called and drawn. */
export function useStepLook(step: StepDefinition): StepLook {
  return lookOf(step, useContext(HandlersContext));
}
