import { Component, type ReactNode } from "react";
import { announce } from "../components/announce";
import { Button } from "../components/Button";
import { EmptyState } from "../components/EmptyState";

const title = "This page could not be drawn";

/** Catches what breaks while a page is drawn, so that the shell stays usable. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override componentDidCatch() {
    announce(title, "assertive");
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <EmptyState
        title={title}
        actions={
          <>
            <Button onClick={() => this.setState({ broken: false })}>Try again</Button>
            <Button kind="primary" onClick={() => globalThis.location.reload()}>
              Reload
            </Button>
          </>
        }
      >
        Something in it went wrong. Nothing on the server is affected, and drafts are kept in this browser.
      </EmptyState>
    );
  }
}
