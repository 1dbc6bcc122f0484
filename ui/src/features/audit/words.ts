// What the audit trail's words mean. No React.
import type { AuditFilter } from "../../api/accounts";
import { boundsOf } from "../../lib/range";
import { capital } from "../../lib/text";

/** The filters as they stand in the address. */
export const defaults = { who: "", action: "", object: "", result: "", range: "", since: "", until: "" };
export type Filters = typeof defaults;

/** Every action, as the server's table of routes calls it. */
const actions: Record<string, string> = {
  "auth.sign-in": "Signed in",
  "auth.sign-out": "Signed out",
  "auth.make-link": "Made a sign-in link",
  "auth.change-password": "Changed the own password",
  "session.end": "Ended a session",
  "token.create": "Made an API token",
  "token.revoke": "Revoked an API token",
  "user.create": "Made an account",
  "user.update": "Changed an account",
  "user.delete": "Deleted an account",
  "workflow.create": "Made a workflow",
  "workflow.import": "Imported a workflow",
  "workflow.update": "Changed a workflow",
  "workflow.restore": "Restored a version",
  "workflow.share": "Changed who may see a workflow",
  "workflow.delete": "Deleted a workflow",
  "workflow.execute": "Executed a workflow",
  "workflow.run-step": "Ran one step",
  "execution.cancel": "Cancelled an execution",
  "execution.pause": "Paused an execution",
  "execution.resume": "Resumed an execution",
  "execution.retry": "Retried an execution",
  "execution.fork": "Forked an execution",
  "execution.undo": "Undid an execution",
  "execution.signal": "Sent a signal",
  "execution.resolve": "Decided on a step",
  "execution.approve": "Answered an approval",
  "execution.delete": "Deleted an execution",
  "trigger.pause": "Paused a trigger",
  "trigger.resume": "Resumed a trigger",
  "trigger.fire": "Fired a trigger",
  "trigger.hook": "Called a webhook",
  "plugin.enable": "Enabled a plugin",
  "plugin.disable": "Disabled a plugin",
  "plugin.reload": "Reloaded a plugin",
  "secret.set": "Set a secret",
  "secret.delete": "Deleted a secret",
  "data.back-up": "Backed the data up",
};

export const actionChoices = [
  { value: "", label: "Any action" },
  ...Object.entries(actions).map(([value, label]) => ({ value, label })),
];

/** An action in words; one that is not known stays as it is. */
export function actionText(action: string): string {
  return actions[action] ?? capital(action);
}

export const resultChoices = [
  { value: "", label: "Any result" },
  { value: "done", label: "Done" },
  { value: "refused", label: "Refused" },
  { value: "failed", label: "Failed" },
];

export const resultTones = { done: "good", refused: "warn", failed: "bad" } as const;

const ways: Record<string, string> = {
  cookie: "in a browser",
  token: "by a token",
  ticket: "by a sign-in link",
  none: "without a sign-in",
};

/** How somebody was let in. */
export function wayText(way: string | undefined): string {
  return way ? (ways[way] ?? way) : "not let in";
}

/** The page that shows what a record is about; nothing where none does. */
export function objectHref(object: string): string | undefined {
  const [kind, id, ...more] = object.split("/");
  if (!id) return undefined;
  switch (kind) {
    case "workflows":
      return `/workflows/${encodeURIComponent(id)}`;
    case "executions":
      return more[0] === "steps" && more[1]
        ? `/executions/${encodeURIComponent(id)}?step=${encodeURIComponent(more[1])}`
        : `/executions/${encodeURIComponent(id)}`;
    case "users":
      return `/settings/accounts?q=${encodeURIComponent(id)}`;
  }
  return undefined;
}

/** The filter that the API takes. */
export function toFilter(filters: Filters, now: number): AuditFilter {
  const { who, action, object, result } = filters;
  const filter: AuditFilter = boundsOf(filters, now);
  if (who.trim()) filter.who = who.trim();
  if (action) filter.action = action;
  if (object.trim()) filter.object = object.trim();
  if (result === "done" || result === "refused" || result === "failed") filter.result = result;
  return filter;
}
