import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.gen";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];
export type ProblemItem = Schemas["Item"];

/** A request that was refused, with all the server said of it. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }

  get code(): string {
    return this.problem.error_code;
  }

  get requestId(): string | undefined {
    return this.problem.request_id;
  }

  get items(): ProblemItem[] {
    return this.problem.errors ?? [];
  }
}

/** A request that the server never answered. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";

  constructor(cause: unknown) {
    super("The server did not answer.", { cause });
  }
}

/** Headers of every request: a session cookie alone lets no change in. */
export const ownHeaders = { "X-VWMP-Request": "1" } as const;

const signedOutListeners = new Set<() => void>();

/** Calls back whenever an answer says that nobody is signed in any more. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

const forbiddenListeners = new Set<() => void>();

/** Calls back whenever an answer says that the person may not do what was asked: their role may be another by now. */
export function onForbidden(listener: () => void): () => void {
  forbiddenListeners.add(listener);
  return () => forbiddenListeners.delete(listener);
}

function hear(status: number): void {
  const listeners = status === 401 ? signedOutListeners : status === 403 ? forbiddenListeners : [];
  for (const listener of listeners) listener();
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text().catch(() => "");
  try {
    const body = JSON.parse(text) as Problem;
    if (typeof body.title === "string") return body;
  } catch {
    // A proxy in between may answer in its own words; they are not shown.
  }
  return {
    type: "about:blank",
    title: response.statusText || "Unexpected answer",
    status: response.status,
    detail: `The server answered with status ${response.status} and no explanation.`,
    error_code: "",
    request_id: response.headers.get("X-Request-Id") ?? undefined,
  };
}

const refusals: Middleware = {
  async onResponse({ response }) {
    if (response.ok || response.status === 304) return;
    hear(response.status);
    throw new ApiError(await problemOf(response));
  },
  onError({ error }) {
    if (error instanceof ApiError || (error instanceof DOMException && error.name === "AbortError")) return error;
    return new NetworkError(error);
  },
};

export const client = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "",
  headers: ownHeaders,
  // Several values of one name go with commas between.
  querySerializer: { array: { style: "form", explode: false } },
});
client.use(refusals);

/** The body of an answer. Refusals were thrown before as ApiError. */
export async function take<T>(answer: Promise<{ data?: T }>): Promise<T> {
  const { data } = await answer;
  return data as T;
}

/** Sends a request that the description can't type, such as one with a YAML body. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: { ...ownHeaders, ...init.headers } });
  } catch (error) {
    throw error instanceof DOMException && error.name === "AbortError" ? error : new NetworkError(error);
  }
  if (!response.ok) {
    hear(response.status);
    throw new ApiError(await problemOf(response));
  }
  return response;
}
