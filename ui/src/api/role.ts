import { useQuery } from "@tanstack/react-query";
import { accountQuery } from "./queries";
import type { Account, Waiting } from "./types";

/** What somebody may be; each role has the rights of those before it. */
export const roles = ["viewer", "executor", "editor", "admin"] as const;
export type Role = (typeof roles)[number];

/** What can be done here: the least role for it, as the server's table of routes has it, and its name in a sentence. */
export const rights = {
  run: { role: "executor", doing: "Running workflows" },
  control: { role: "executor", doing: "Acting on executions" },
  answer: { role: "executor", doing: "Answering what an execution waits for" },
  fire: { role: "executor", doing: "Firing triggers" },
  edit: { role: "editor", doing: "Changing workflows" },
  triggers: { role: "editor", doing: "Pausing triggers" },
  deleteExecutions: { role: "admin", doing: "Deleting executions" },
  plugins: { role: "admin", doing: "Managing plugins" },
  accounts: { role: "admin", doing: "Managing accounts" },
  secrets: { role: "admin", doing: "Managing secrets" },
  audit: { role: "admin", doing: "Reading the audit trail" },
} as const satisfies Record<string, { role: Role; doing: string }>;
export type Right = keyof typeof rights;

/** Whether a role includes another. An unknown one includes nothing. */
export function includes(role: string, needed: Role): boolean {
  return (roles as readonly string[]).indexOf(role) >= roles.indexOf(needed);
}

/** Why a role may not do this, as a sentence; nothing where it may. */
export function whyNot(right: Right, role: string | undefined): string | undefined {
  const { role: needed, doing } = rights[right];
  if (includes(role ?? "", needed)) return undefined;
  return `${doing} needs the role ${needed}${role ? `; you are ${role}` : ""}.`;
}

/** Why the person may not do this: what a control says that is switched off for it. Nothing where they may. */
export function useWhyNot(right: Right): string | undefined {
  return whyNot(right, useQuery(accountQuery).data?.role);
}

/** Whether the person may do this. False until it is known who they are. */
export function useMay(right: Right): boolean {
  return useWhyNot(right) === undefined;
}

/** Whether an approval is for this person: by name, by a role that theirs includes, or for everybody. */
export function mayApprove({ approvers }: Waiting, account: Account | undefined): boolean {
  if (!account || whyNot("answer", account.role)) return false;
  if (!approvers || approvers.length === 0) return true;
  return approvers.some(
    (name) =>
      name === account.user || ((roles as readonly string[]).includes(name) && includes(account.role, name as Role)),
  );
}
