import { LinkButton } from "./Button";
import { EmptyState } from "./EmptyState";

/** What stands in the place of a page that the person has no right to see. why names the role that has it. */
export function NotForRole({ why }: { why: string }) {
  return (
    <EmptyState title="This page is not for your role" actions={<LinkButton href="/">Go to the overview</LinkButton>}>
      {why} An administrator can change your role.
    </EmptyState>
  );
}
