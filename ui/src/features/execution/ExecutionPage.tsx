import { useQuery, useQueryClient } from "@tanstack/react-query";
import { SearchX } from "lucide-react";
import { useEffect } from "react";
import { ApiError } from "../../api/client";
import { events } from "../../api/live";
import { executionQuery, executionWorkflowQuery, keys } from "../../api/queries";
import { Button, LinkButton } from "../../components/Button";
import { EmptyState } from "../../components/EmptyState";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Loading } from "../../components/Loading";
import { Page } from "../../components/Page";
import { Skeleton } from "../../components/Skeleton";
import styles from "./ExecutionPage.module.css";
import { RunPage } from "./RunPage";

function Coming() {
  return (
    <Page title="Execution" wide>
      <Loading label="Loading the execution" className={styles.loading}>
        <Skeleton height={74} />
        <Skeleton height={360} />
      </Loading>
    </Page>
  );
}

function Missing() {
  return (
    <Page title="Execution not found">
      <EmptyState
        icon={<SearchX />}
        title="There is no such execution"
        actions={
          <LinkButton kind="primary" href="/executions">
            All executions
          </LinkButton>
        }
      >
        It may have been deleted, or removed because it was old.
      </EmptyState>
    </Page>
  );
}

/** One execution: where it is, what it did, and what can be done with it. */
export default function ExecutionPage({ id }: { id: string }) {
  const queries = useQueryClient();
  const execution = useQuery(executionQuery(id));
  const definition = useQuery(executionWorkflowQuery(id));
  const undoneBy = execution.data?.undone_by;

  // What another run takes back of this one is told of that one only.
  useEffect(() => {
    if (!undoneBy) return;
    return events.onEvent((event) => {
      if (event.execution_id === undoneBy) void queries.invalidateQueries({ queryKey: keys.execution(id) });
    });
  }, [undoneBy, id, queries]);

  if (execution.data) {
    return (
      <RunPage
        result={execution.data}
        definition={definition.data}
        definitionError={definition.isError ? definition.error : undefined}
      />
    );
  }
  if (execution.isPending) return <Coming />;
  if (execution.error instanceof ApiError && execution.error.status === 404) return <Missing />;
  return (
    <Page title="Execution">
      <ErrorNotice
        error={execution.error}
        doing="The execution could not be loaded"
        onRetry={() => void execution.refetch()}
        retrying={execution.isFetching}
      >
        <Button kind="quiet" size="small" onClick={() => globalThis.history.back()}>
          Go back
        </Button>
      </ErrorNotice>
    </Page>
  );
}
