// What saving asks of the server.
import { ApiError, client, send, take } from "../../../api/client";
import { definitionOf } from "../../../api/queries";
import type { Definition, Revision, StoredWorkflow, WorkflowMeta } from "../../../api/types";

/** What is sent: the text where the person edited the text, otherwise the definition. */
export type Body = { text: string } | { definition: Definition };

/** What came of a save. */
export interface Answer {
  id: string;
  revision: number;
  /** How many problems the draft has; 0 of one that can be executed. */
  problems: number;
  /** The YAML text could not take the change in place: it was written anew, and its comments are gone. */
  rewritten: boolean;
}

function request(method: string, body: Body, headers: Record<string, string> = {}): RequestInit {
  return "text" in body
    ? { method, body: body.text, headers: { ...headers, "Content-Type": "application/yaml" } }
    : { method, body: JSON.stringify(body.definition), headers: { ...headers, "Content-Type": "application/json" } };
}

function answerOf(stored: WorkflowMeta & { text_rewritten?: boolean }): Answer {
  return {
    id: stored.id,
    revision: stored.revision,
    problems: stored.valid ? 0 : Array.isArray(stored.problems) ? stored.problems.length : 1,
    rewritten: stored.text_rewritten === true,
  };
}

/** Saves a new workflow. One with problems is kept as a draft. */
export async function createWorkflow(body: Body, message = ""): Promise<Answer> {
  const query = new URLSearchParams({ draft: "true", ...(message && { message }) });
  const answer = await send(`/api/vwmp/workflows/?${query}`, request("POST", body));
  return answerOf((await answer.json()) as WorkflowMeta);
}

/** Saves a further revision on the one that the change was made on. */
export async function updateWorkflow(id: string, on: number, body: Body, message = ""): Promise<Answer> {
  const query = new URLSearchParams({ draft: "true", ...(message && { message }) });
  const path = `/api/vwmp/workflows/${encodeURIComponent(id)}/?${query}`;
  const answer = await send(path, request("PUT", body, { "If-Match": `"${on}"` }));
  return answerOf((await answer.json()) as WorkflowMeta & { text_rewritten?: boolean });
}

/** The newest revision whole: what it says, and who saved it when. */
export interface Newest {
  definition: Definition;
  revision: number;
  by: string;
  at: string;
  note: string;
}

/** Reads the newest revision; null where the workflow is gone. */
export async function newestRevision(id: string): Promise<Newest | null> {
  try {
    const params = { path: { id } };
    const stored = (await take(client.GET("/api/vwmp/workflows/{id}/", { params }))) as StoredWorkflow;
    const { versions } = await take(
      client.GET("/api/vwmp/workflows/{id}/versions/", { params: { ...params, query: { limit: 1 } } }),
    );
    const info: Revision | undefined = versions[0];
    return {
      definition: definitionOf(stored),
      revision: stored.revision,
      by: info?.author ?? "",
      at: stored.updated_at,
      note: info?.message ?? "",
    };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
