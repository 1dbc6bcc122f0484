import { capital } from "../lib/text";
import { type Role, roles } from "./role";

/** What a role may do, in a sentence. */
export const roleTexts: Record<Role, string> = {
  viewer: "May look at everything that is not hidden, and change nothing.",
  executor: "May also run, cancel, pause, retry and approve.",
  editor: "May also change workflows and triggers.",
  admin: "May do everything: accounts, plugins, secrets, the audit trail.",
};

export const roleChoices = roles.map((role) => ({ value: role, label: capital(role) }));

const nameRule = /^[a-z0-9][a-z0-9._@-]{0,63}$/;

/** What is wrong with the name of an account; nothing where it is good. */
export function whyNotName(name: string): string | undefined {
  if (name === "") return "Give a name.";
  if (name === "admin")
    return "The name admin belongs to the server's own account. Choose another, with the role admin.";
  return nameRule.test(name)
    ? undefined
    : "A name has 1 to 64 lower-case letters, digits and . _ @ -, and begins with a letter or a digit.";
}

/** Names of teams as they are typed, with commas or blanks between. */
export function readTeams(text: string): string[] {
  return [
    ...new Set(
      text
        .toLowerCase()
        .split(/[\s,;]+/)
        .filter(Boolean),
    ),
  ];
}

/** What is wrong with names of teams. */
export function whyNotTeams(teams: readonly string[]): string | undefined {
  const wrong = teams.find((team) => !nameRule.test(team));
  return wrong === undefined ? undefined : `“${wrong}” can't name a team: only lower-case letters, digits and . _ @ -.`;
}
/** As the server has it; see host/edge/password.go. */
const least = 10;

export const passwordHint = `At least ${least} characters. A few words are easier to keep in mind than signs.`;

/** What is wrong with a new password; nothing where it is good enough. */
export function whyNotPassword(password: string): string | undefined {
  return [...password].length < least ? `The password must have at least ${least} characters.` : undefined;
}
