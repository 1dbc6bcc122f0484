// What the version history asks of the server.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, take } from "../../api/client";
import { keys } from "../../api/queries";
import type { Definition, Revision } from "../../api/types";

export type ListedVersion = Revision;

/** How many versions are listed at once. */
const page = 20;

/** The versions of a workflow, the newest first, each with the number of steps that it changed. */
export function versionsQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: [...keys.versions(id), "list"] as const,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      take(
        client.GET("/api/vwmp/workflows/{id}/versions/", {
          params: { path: { id }, query: { limit: page, changes: true, ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    getNextPageParam: ({ next }) => next || undefined,
  });
}

export interface Version extends ListedVersion {
  definition: Definition;
  /** The YAML text: as it was sent, or written of the definition. */
  yaml: string;
}

/** One version whole. A version never changes. */
export function versionQuery(id: string, revision: number) {
  return queryOptions({
    queryKey: [...keys.versions(id), revision] as const,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }): Promise<Version> => {
      const params = { path: { id, revision: String(revision) } };
      const path = "/api/vwmp/workflows/{id}/versions/{revision}/" as const;
      const [whole, yaml] = await Promise.all([
        take(client.GET(path, { params, signal })),
        take(client.GET(path, { params, signal, headers: { Accept: "application/yaml" }, parseAs: "text" })),
      ]);
      const version = whole as unknown as ListedVersion & { definition: Definition };
      // Of a draft that can't be read there is no more than a name.
      const definition = { ...version.definition, steps: version.definition.steps ?? [] };
      return { ...version, definition, yaml: String(yaml) };
    },
  });
}

/** Makes the text of an older version the newest one. */
export async function restoreVersion(id: string, revision: number, newest: number): Promise<number> {
  const params = {
    path: { id, revision: String(revision) },
    query: { draft: true },
    header: { "If-Match": `"${newest}"` },
  };
  const restored = (await take(
    client.POST("/api/vwmp/workflows/{id}/versions/{revision}/restore/", { params }),
  )) as unknown as { revision: number };
  return restored.revision;
}
