// Accounts, tokens, sessions, secrets, the audit trail, and whose a workflow
// is. Its pages alone load it.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, type Schemas, take } from "./client";

export type User = Schemas["ShownUser"];
export type NewUser = Schemas["NewUser"];
export type UserChange = Schemas["UserChange"];
export type Token = Schemas["APIToken"];
export type MadeToken = Schemas["MadeToken"];
export type NewToken = Schemas["NewToken"];
export type Session = Schemas["ShownSession"];
export type AuditRecord = Schemas["AuditRecord"];
export type AccessChange = Schemas["AccessChange"];

/** The account that belongs to the server: whoever has its token is it. It is in no list. */
export const serversOwn = "admin";

/** Whose tokens or sessions, for administrators: those of everybody. */
export const everybody = "*";

export const accountKeys = {
  users: ["users"] as const,
  tokens: ["tokens"] as const,
  sessions: ["sessions"] as const,
  secrets: ["secrets"] as const,
  audit: ["audit"] as const,
};

export const usersQuery = queryOptions({
  queryKey: accountKeys.users,
  queryFn: async ({ signal }) => (await take(client.GET("/api/vwmp/users/", { signal }))).users,
});

export function createUser(body: NewUser): Promise<User> {
  return take(client.POST("/api/vwmp/users/", { body })) as Promise<User>;
}

export function changeUser(name: string, body: UserChange): Promise<User> {
  return take(client.PUT("/api/vwmp/users/{name}/", { params: { path: { name } }, body })) as Promise<User>;
}

/** Removes an account with its tokens and sessions. */
export async function deleteUser(name: string): Promise<void> {
  await client.DELETE("/api/vwmp/users/{name}/", { params: { path: { name } } });
}

/** Changes one's own password, and ends one's other sessions. */
export async function changePassword(current: string, password: string): Promise<void> {
  await client.POST("/api/vwmp/auth/password/", { body: { current, password } });
}

export async function signIn(user: string, password: string): Promise<void> {
  await client.POST("/api/vwmp/auth/login/", { body: { user, password } });
}

/** One's own tokens, or those of an account or of everybody. */
export function tokensQuery(user?: string) {
  return queryOptions({
    queryKey: [...accountKeys.tokens, user ?? ""] as const,
    queryFn: async ({ signal }) =>
      (await take(client.GET("/api/vwmp/auth/tokens/", { params: { query: { user } }, signal }))).tokens,
  });
}

export function createToken(body: NewToken): Promise<MadeToken> {
  return take(client.POST("/api/vwmp/auth/tokens/", { body })) as Promise<MadeToken>;
}

export async function revokeToken(id: string): Promise<void> {
  await client.DELETE("/api/vwmp/auth/tokens/{id}/", { params: { path: { id } } });
}

/** One's own sessions, or those of an account. */
export function sessionsQuery(user?: string) {
  return queryOptions({
    queryKey: [...accountKeys.sessions, user ?? ""] as const,
    queryFn: async ({ signal }) =>
      (await take(client.GET("/api/vwmp/auth/sessions/", { params: { query: { user } }, signal }))).sessions,
  });
}

export async function endSession(id: string): Promise<void> {
  await client.DELETE("/api/vwmp/auth/sessions/{id}/", { params: { path: { id } } });
}

export const secretsQuery = queryOptions({
  queryKey: accountKeys.secrets,
  queryFn: async ({ signal }) => (await take(client.GET("/api/vwmp/secrets/", { signal }))).secrets,
});

/** The stored workflows that refer to a secret. */
export function secretUsageQuery(name: string) {
  return queryOptions({
    queryKey: [...accountKeys.secrets, name, "usage"] as const,
    queryFn: async ({ signal }) =>
      (await take(client.GET("/api/vwmp/secrets/{name}/usage/", { params: { path: { name } }, signal }))).workflows,
    staleTime: 0,
  });
}

export async function setSecret(name: string, value: string): Promise<void> {
  await client.PUT("/api/vwmp/secrets/{name}/", { params: { path: { name } }, body: { value } });
}

export async function deleteSecret(name: string): Promise<void> {
  await client.DELETE("/api/vwmp/secrets/{name}/", { params: { path: { name } } });
}

export interface AuditFilter {
  who?: string;
  action?: string;
  object?: string;
  result?: "done" | "refused" | "failed";
  /** RFC 3339. */
  since?: string;
  until?: string;
}

const auditPage = 100;

/** Who did what, the newest first, a page at a time. */
export function auditQuery(filter: AuditFilter) {
  return infiniteQueryOptions({
    queryKey: [...accountKeys.audit, filter] as const,
    queryFn: ({ signal, pageParam }) =>
      take(
        client.GET("/api/vwmp/audit/", {
          params: { query: { ...filter, limit: auditPage, cursor: pageParam || undefined } },
          signal,
        }),
      ) as Promise<Schemas["AuditList"]>,
    initialPageParam: "",
    getNextPageParam: ({ next }) => next || undefined,
  });
}

/** Where the records that match are given as lines of JSON, the oldest first. */
export function auditExport(filter: AuditFilter): string {
  const query = new URLSearchParams({ format: "jsonl" });
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  return `/api/vwmp/audit/?${query}`;
}

/** Reads all of the server's data, the chain of the audit trail with it. It may take minutes. */
export function checkData(): Promise<Schemas["DataReport"]> {
  return take(client.GET("/api/vwmp/admin/check/")) as Promise<Schemas["DataReport"]>;
}

/** Says whose a workflow is and who may see it. What is left out stays as it is. */
export async function setAccess(id: string, body: AccessChange): Promise<void> {
  await client.PUT("/api/vwmp/workflows/{id}/access/", { params: { path: { id } }, body });
}
