import { useQuery } from "@tanstack/react-query";
import { definitionOf, workflowQuery } from "../../api/queries";
import { PageSkeleton } from "../../app/PageSkeleton";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Page } from "../../components/Page";
import { Designer } from "./Designer";

/** Loads a stored workflow, always the newest revision, and opens it. Later answers don't touch what is edited. */
export default function DesignerPage({ id }: { id: string }) {
  const workflow = useQuery({ ...workflowQuery(id), staleTime: 0 });
  if (workflow.data && workflow.isFetchedAfterMount) {
    const definition = definitionOf(workflow.data);
    return <Designer document={definition} saved={{ id, revision: workflow.data.revision, definition }} />;
  }
  if (workflow.error) {
    return (
      <Page title="Designer">
        <ErrorNotice
          error={workflow.error}
          doing="The workflow could not be loaded"
          onRetry={() => void workflow.refetch()}
          retrying={workflow.isFetching}
        />
      </Page>
    );
  }
  return <PageSkeleton />;
}
