import { CSPProvider } from "@base-ui/react/csp-provider";
import { Tooltip } from "@base-ui/react/tooltip";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Route, Router, Switch } from "wouter";
import { ApiError } from "../api/client";
import { LiveRegions } from "../components/LiveRegions";
import { Toaster } from "../components/Toaster";
import { OverviewPage } from "../features/overview/OverviewPage";
import { ErrorBoundary } from "./ErrorBoundary";
import { LeaveDialog } from "./LeaveDialog";
import { aroundNav } from "./leave";
import { NewVersion } from "./NewVersion";
import { NotFoundPage } from "./NotFoundPage";
import { PageSkeleton } from "./PageSkeleton";
import { Shell } from "./Shell";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // Live events outdate what they touch; focus alone changes nothing.
      refetchOnWindowFocus: false,
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status < 500),
    },
  },
});

const ExecutionsPage = lazy(() => import("../features/executions/ExecutionsPage"));
const ExecutionPage = lazy(() => import("../features/execution/ExecutionPage"));
const ComparePage = lazy(() => import("../features/compare/ComparePage"));
const WorkflowPage = lazy(() => import("../features/workflow/WorkflowPage"));
const DesignerPage = lazy(() => import("../features/designer/DesignerPage"));
const PluginsPage = lazy(() => import("../features/plugins/PluginsPage"));
const TriggersPage = lazy(() => import("../features/triggers/TriggersPage"));
const ApprovalsPage = lazy(() => import("../features/approvals/ApprovalsPage"));
const AuditPage = lazy(() => import("../features/audit/AuditPage"));
const ProfilePage = lazy(() => import("../features/settings/profile/ProfilePage"));
const TokensPage = lazy(() => import("../features/settings/tokens/TokensPage"));
const AccountsPage = lazy(() => import("../features/settings/accounts/AccountsPage"));
const SecretsPage = lazy(() => import("../features/settings/secrets/SecretsPage"));
const SettingsPage = lazy(() => import("../features/settings/SettingsPage"));

// The server sends the same nonce in its policy; see host/pages.go.
const nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce;

function Routes() {
  return (
    <Suspense fallback={<PageSkeleton />}>
      <Switch>
        <Route path="/" component={OverviewPage} />
        <Route path="/executions" component={ExecutionsPage} />
        <Route path="/executions/:id/compare/:other">
          {({ id, other }) => <ComparePage key={`${id} ${other}`} id={id} other={other} />}
        </Route>
        <Route path="/executions/:id">{({ id }) => <ExecutionPage key={id} id={id} />}</Route>
        <Route path="/workflows/:id">{({ id }) => <WorkflowPage key={id} id={id} />}</Route>
        <Route path="/designer/:id?">{({ id }) => <DesignerPage id={id} />}</Route>
        <Route path="/plugins" component={PluginsPage} />
        <Route path="/triggers" component={TriggersPage} />
        <Route path="/approvals" component={ApprovalsPage} />
        <Route path="/settings" component={SettingsPage} />
        <Route path="/settings/profile" component={ProfilePage} />
        <Route path="/settings/tokens" component={TokensPage} />
        <Route path="/settings/accounts" component={AccountsPage} />
        <Route path="/settings/secrets" component={SecretsPage} />
        <Route path="/audit" component={AuditPage} />
        <Route component={NotFoundPage} />
      </Switch>
    </Suspense>
  );
}

/** Everything, with what all pages share around it. */
export function App() {
  return (
    <CSPProvider nonce={nonce}>
      <LiveRegions />
      <QueryClientProvider client={queries}>
        <Tooltip.Provider delay={400}>
          <Router base="/vwmp" aroundNav={aroundNav}>
            <Shell>
              <ErrorBoundary>
                <Routes />
              </ErrorBoundary>
            </Shell>
            <LeaveDialog />
            <NewVersion />
            <Toaster />
          </Router>
        </Tooltip.Provider>
      </QueryClientProvider>
    </CSPProvider>
  );
}
