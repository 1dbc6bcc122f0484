import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { definitionOf, workflowQuery } from "../../api/queries";
import type { Definition } from "../../api/types";
import { PageSkeleton } from "../../app/PageSkeleton";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Page } from "../../components/Page";
import { Designer } from "./Designer";

const NewWorkflowPage = lazy(() => import("./templates/NewWorkflowPage"));

/** What a new workflow starts with. */
export interface Start {
  document: Definition;
  /** The text that says the document, where there is one. */
  text?: string;
  /** It holds work that would be lost, unlike a blank page or a copy of a template. */
  unsaved?: boolean;
}

const nothing: Definition = { name: "", steps: [] };

/** Loads a stored workflow, always the newest revision, and opens it. Later answers don't touch what is edited. */
function StoredDesigner({ id }: { id: string }) {
  const workflow = useQuery({ ...workflowQuery(id), staleTime: 0 });
  if (workflow.data && workflow.isFetchedAfterMount) {
    // Of a draft that can't be read the server knows little more than the name.
    const definition = { ...definitionOf(workflow.data), steps: workflow.data.steps ?? [] };
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

/** The part of the address that says that a new workflow was chosen: going back leads to the choice again. */
const chosen = "new";

/**
 * The designer at its two addresses: a new workflow, which is first chosen,
 * and a stored one. A new one that is saved gets an address of its own and
 * stays open as it is, with its history.
 */
export default function DesignerPage({ id }: { id?: string }) {
  const [, go] = useLocation();
  const search = new URLSearchParams(useSearch());
  const [made, setMade] = useState<{ start: Start; id?: string; number: number } | null>(null);
  const here = id ?? (search.has(chosen) ? chosen : "");
  const [shown, setShown] = useState(here);
  if (shown !== here) {
    setShown(here);
    // Another address: what was made here has its own by now, or was left with its draft.
    if (made && here !== chosen && (id === undefined || made.id !== id)) setMade(null);
  }
  const start = (next: Start) => {
    setMade((before) => ({ start: next, number: (before?.number ?? 0) + 1 }));
    go(`/designer?${chosen}`);
  };
  const onCreated = useCallback(
    (created: string) => {
      setMade((before) => before && { ...before, id: created });
      const kept = new URLSearchParams(globalThis.location.search);
      kept.delete(chosen);
      go(`/designer/${created}${kept.size > 0 ? `?${kept}` : ""}`, { replace: true });
    },
    [go],
  );
  if (made && (here === chosen || (id !== undefined && made.id === id))) {
    const { document, text, unsaved } = made.start;
    const definition = unsaved ? nothing : document;
    const saved = { id: null, revision: 0, definition };
    return <Designer key={made.number} document={document} saved={saved} text={text} onCreated={onCreated} />;
  }
  if (id === undefined) {
    return (
      <Suspense fallback={<PageSkeleton />}>
        <NewWorkflowPage onStart={start} />
      </Suspense>
    );
  }
  return <StoredDesigner key={id} id={id} />;
}
