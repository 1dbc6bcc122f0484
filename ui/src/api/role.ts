import { useQuery } from "@tanstack/react-query";
import { accountQuery } from "./queries";
import type { Account, Waiting } from "./types";

/** What somebody may do; each role includes those before it. */
export const roles = ["viewer", "executor", "editor", "admin"] as const;
export type Role = (typeof roles)[number];

/** Whether a role includes another. An unknown one includes nothing. */
export function includes(role: string, needed: Role): boolean {
  return (roles as readonly string[]).indexOf(role) >= roles.indexOf(needed);
}

/** Whether the person may do what this role may. False until it is known. */
export function useMay(needed: Role): boolean {
  const role = useQuery(accountQuery).data?.role;
  return role !== undefined && includes(role, needed);
}

/** Why a control is switched off for want of a role. */
export function needs(role: Role): string {
  return `Your role lacks the right; it needs ${role}`;
}

/** Whether an approval is for this person: by name, by a role that theirs includes, or for everybody. */
export function mayApprove({ approvers }: Waiting, account: Account | undefined): boolean {
  if (!account || !includes(account.role, "executor")) return false;
  if (!approvers || approvers.length === 0) return true;
  return approvers.some(
    (name) =>
      name === account.user || ((roles as readonly string[]).includes(name) && includes(account.role, name as Role)),
  );
}
