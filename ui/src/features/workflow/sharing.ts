// Who may see a workflow, in words. No React.
import type { StoredWorkflow } from "../../api/types";

export type Visibility = StoredWorkflow["visibility"];

export const visibilities: { value: Visibility; label: string; hint: string }[] = [
  { value: "all", label: "Everybody", hint: "Whoever has an account here" },
  { value: "team", label: "A team", hint: "Those who are in one team" },
  { value: "private", label: "The owner alone", hint: "And administrators" },
];

/** Who sees it, in a few words. */
export function visibleTo({ visibility, team }: Pick<StoredWorkflow, "visibility" | "team">): string {
  switch (visibility) {
    case "private":
      return "The owner alone";
    case "team":
      return `Team ${team}`;
    default:
      return "Everybody";
  }
}
