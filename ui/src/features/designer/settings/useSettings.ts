// What the parts of the settings share: the document, the way to change it,
// and what fields may name.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { client, take } from "../../../api/client";
import { accountQuery, keys, workflowsQuery } from "../../../api/queries";
import { whyNot } from "../../../api/role";
import type { Definition, Json } from "../../../api/types";
import { useHandlers } from "../../graph/handlers";
import type { EditOptions } from "../../schema-form/context";
import { type Variable, type VariablePlace, variablesFor } from "../../schema-form/variables";
import { useDesignerState, useDesignerStore } from "../context";
import { useEditingLock } from "../live";
import { changeStep } from "../model/commands";
import { sameButForPlaces } from "../validation/join";

const noHandlers = new Map();
const noNames: readonly string[] = [];

/** Names of stored secrets; none for a role that may not know them. */
function useSecretNames(): readonly string[] {
  const { data: account } = useQuery(accountQuery);
  const mayKnow = whyNot("secrets", account?.role) === undefined;
  const { data = noNames } = useQuery({
    queryKey: [...keys.account, "secrets"],
    queryFn: async ({ signal }) => {
      const { secrets } = await take(client.GET("/api/vwmp/secrets/", { signal }));
      return (secrets ?? []).map(({ name }) => name);
    },
    enabled: mayKnow,
    retry: false,
    staleTime: 60_000,
  });
  return data;
}

/** The document, the same one as long as only places of steps change: a drag makes nothing anew. */
export function useContent(): Definition {
  const last = useRef<Definition>(undefined);
  return useDesignerState(({ document }) => {
    if (!last.current || !sameButForPlaces(last.current, document)) last.current = document;
    return last.current;
  });
}

/** What ${…} may name at a place of the workflow. */
export function useVariables(stepId: string | null, place: VariablePlace, trigger?: string): readonly Variable[] {
  const document = useContent();
  const handlers = useHandlers() ?? noHandlers;
  const secrets = useSecretNames();
  return useMemo(
    () => variablesFor({ document, stepId, place, trigger, handlers, secrets }),
    [document, stepId, place, trigger, handlers, secrets],
  );
}

export type Edit = (
  change: (document: Definition) => Definition,
  options?: { join?: string; select?: string[] },
) => void;

/** Changes the document, unless a run is followed. */
export function useEdit(): { edit: Edit; locked: boolean } {
  const store = useDesignerStore();
  const lock = useEditingLock();
  return { edit: (change, options) => store.getState().edit(change, options), locked: lock !== null };
}

/** Sets one key of a step, or takes it out. */
export function setStepKey(id: string, key: string, value: Json | undefined): (document: Definition) => Definition {
  return (document) => changeStep(document, id, (step) => withKey(step, key, value));
}

/** A copy with one key set, or taken out where there is no value. */
export function withKey<T extends { [key: string]: unknown }>(object: T, key: string, value: unknown): T {
  if (value !== undefined) return { ...object, [key]: value };
  const { [key]: _, ...rest } = object;
  return rest as T;
}

/** Sets one key of the workflow, or takes it out. */
export function setKey(key: string, value: Json | undefined): (document: Definition) => Definition {
  return (document) => withKey(document, key, value);
}

/** What is written where a field has its default: nothing. */
export function unlessDefault(value: Json | undefined, fallback: Json): Json | undefined {
  return JSON.stringify(value) === JSON.stringify(fallback) ? undefined : value;
}

/** Edits of one field within a moment are one entry of the history. */
export function joined(options: EditOptions | undefined, scope: string): EditOptions | undefined {
  return options?.join === undefined ? undefined : { join: `${scope} ${options.join}` };
}

/** What fields suggest, by the name of their widget. */
export function useSuggestions() {
  const { data: workflows } = useQuery(workflowsQuery);
  return useMemo(
    () => ({ workflow: workflows?.map(({ id, name }) => ({ value: id, label: name })), timezone: timezones() }),
    [workflows],
  );
}

let zones: { value: string }[] | undefined;

function timezones(): { value: string }[] {
  zones ??= ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")].map((value) => ({ value }));
  return zones;
}
