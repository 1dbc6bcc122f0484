import { LinkButton } from "../components/Button";
import { EmptyState } from "../components/EmptyState";
import { Page } from "../components/Page";

/** For an address that names nothing. */
export function NotFoundPage() {
  return (
    <Page title="Page not found">
      <EmptyState
        title="There is no page at this address"
        actions={
          <LinkButton kind="primary" href="/">
            Go to the overview
          </LinkButton>
        }
      >
        The link may be old, or mistyped.
      </EmptyState>
    </Page>
  );
}
