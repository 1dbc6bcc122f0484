import { describe, expect, test } from "vitest";
import { includes, mayApprove, rights, roles, whyNot } from "./role";
import type { Account, Waiting } from "./types";

const account = (user: string, role: string): Account => ({
  user,
  role,
  teams: [],
  auth: "token",
  signed_in_by: "cookie",
});
const waiting = (approvers?: string[]): Waiting => ({ reason: "approval", since: "2026-01-01T00:00:00Z", approvers });

describe("roles", () => {
  test("a role includes those before it, and an unknown one none", () => {
    expect(includes("editor", "executor")).toBe(true);
    expect(includes("viewer", "executor")).toBe(false);
    expect(includes("stranger", "viewer")).toBe(false);
  });

  test("a right that a role lacks is told with the role that has it, and one that it has not at all", () => {
    expect(whyNot("run", "viewer")).toBe("Running workflows needs the role executor; you are viewer.");
    expect(whyNot("edit", "executor")).toBe("Changing workflows needs the role editor; you are executor.");
    expect(whyNot("secrets", undefined)).toBe("Managing secrets needs the role admin.");
    for (const right of Object.keys(rights) as (keyof typeof rights)[]) {
      expect(whyNot(right, "admin")).toBeUndefined();
      expect(roles.filter((role) => !whyNot(right, role))[0]).toBe(rights[right].role);
    }
  });

  test("an approval is for those whom it names, by name or by role, or for all who may run", () => {
    expect(mayApprove(waiting(), account("eve", "executor"))).toBe(true);
    expect(mayApprove(waiting([]), account("eve", "viewer"))).toBe(false);
    expect(mayApprove(waiting(["editor"]), account("eve", "admin"))).toBe(true);
    expect(mayApprove(waiting(["admin"]), account("eve", "editor"))).toBe(false);
    expect(mayApprove(waiting(["eve"]), account("eve", "executor"))).toBe(true);
    expect(mayApprove(waiting(["bob"]), account("eve", "admin"))).toBe(false);
    expect(mayApprove(waiting(), undefined)).toBe(false);
  });
});
