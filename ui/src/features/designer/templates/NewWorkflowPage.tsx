import { useQuery } from "@tanstack/react-query";
import { FileInput, FilePlus2, History } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useSearch } from "wouter";
import { client, send, take } from "../../../api/client";
import { typesQuery } from "../../../api/queries";
import { useWhyNot } from "../../../api/role";
import type { Definition, WorkflowType } from "../../../api/types";
import { Button, LinkButton } from "../../../components/Button";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Page } from "../../../components/Page";
import { Skeleton } from "../../../components/Skeleton";
import { count } from "../../../lib/text";
import type { Start } from "../DesignerPage";
import { type Draft, leftDrafts, removeDraft } from "../saving/drafts";
import { draftTime } from "../saving/SavingNotices";
import { GraphPicture } from "./GraphPicture";
import ImportDialog from "./ImportDialog";
import styles from "./NewWorkflowPage.module.css";

const blank: Definition = { name: "New workflow", steps: [] };

type Starts = { onStart: (start: Start) => void };

function templatePath(type: string, template: string): string {
  return `/api/vwmp/workflow-types/${encodeURIComponent(type)}/templates/${encodeURIComponent(template)}/`;
}

interface TemplateProps extends Starts {
  type: WorkflowType;
  template: WorkflowType["templates"][number];
}

function TemplateCard({ type, template, onStart }: TemplateProps) {
  const [busy, setBusy] = useState(false);
  const [notOpened, setNotOpened] = useState<unknown>();
  const document = useQuery({
    queryKey: ["template", type.name, template.name],
    queryFn: async ({ signal }) => {
      const params = { path: { name: type.name, template: template.name } };
      return (await take(
        client.GET("/api/vwmp/workflow-types/{name}/templates/{template}/", { params, signal }),
      )) as unknown as Definition;
    },
    staleTime: 60_000,
  });
  const use = async () => {
    if (!document.data) return;
    setBusy(true);
    setNotOpened(undefined);
    try {
      // The template's own text, so that its comments come along.
      const answer = await send(templatePath(type.name, template.name), { headers: { Accept: "application/yaml" } });
      onStart({ document: document.data, text: await answer.text() });
    } catch (error) {
      setNotOpened(error);
      setBusy(false);
    }
  };
  const name = document.data?.name ?? template.name;
  return (
    <li className={styles.card}>
      <div className={styles.picture}>
        {document.data ? <GraphPicture steps={document.data.steps} /> : <Skeleton height={96} />}
      </div>
      <h3>{name}</h3>
      <p className={styles.facts}>
        {document.data ? count(document.data.steps.length, "step") : "…"} · {type.display_name || type.name}
      </p>
      <p className={styles.text}>{template.description}</p>
      {document.error ? (
        <ErrorNotice
          error={document.error}
          doing="The template could not be loaded"
          onRetry={() => void document.refetch()}
        />
      ) : (
        <>
          {notOpened !== undefined && <ErrorNotice error={notOpened} doing="The template could not be opened" />}
          <Button busy={busy} disabled={!document.data} onClick={() => void use()} aria-label={`Use template ${name}`}>
            Use template
          </Button>
        </>
      )}
    </li>
  );
}

function Templates({ onStart }: Starts) {
  const types = useQuery(typesQuery);
  if (types.error) {
    return (
      <ErrorNotice
        error={types.error}
        doing="The templates could not be loaded"
        onRetry={() => void types.refetch()}
        retrying={types.isFetching}
      />
    );
  }
  if (!types.data) {
    return (
      <ul className={styles.grid}>
        {[1, 2].map((n) => (
          <li key={n} className={styles.card}>
            <Skeleton height={220} />
          </li>
        ))}
      </ul>
    );
  }
  const all = types.data.flatMap((type) => type.templates.map((template) => ({ type, template })));
  if (all.length === 0) return <p className={styles.text}>No plugin here brings a template.</p>;
  return (
    <ul className={styles.grid}>
      {all.map(({ type, template }) => (
        <TemplateCard key={`${type.name}/${template.name}`} type={type} template={template} onStart={onStart} />
      ))}
    </ul>
  );
}

/** New workflows of an earlier visit that were never saved. */
function LeftDrafts({ onStart }: Starts) {
  const [drafts, setDrafts] = useState<Draft[]>([]);
  useEffect(() => {
    let gone = false;
    leftDrafts("").then(
      (left) => !gone && setDrafts(left),
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, []);
  const drop = (draft: Draft) => {
    setDrafts((all) => all.filter((each) => each.key !== draft.key));
    return removeDraft(draft.key).catch(() => undefined);
  };
  if (drafts.length === 0) return null;
  return (
    <section aria-labelledby="left-drafts">
      <h2 id="left-drafts">Not saved yet</h2>
      <ul className={styles.drafts}>
        {drafts.map((draft) => (
          <li key={draft.key}>
            <History size={16} aria-hidden="true" />
            <p>
              Restore your unsaved workflow <strong>{draft.name || "without a name"}</strong> from {draftTime(draft.at)}
              ? <span className={styles.facts}>{count(draft.document.steps.length, "step")}</span>
            </p>
            <Button size="small" kind="quiet" onClick={() => void drop(draft)}>
              Discard
            </Button>
            <Button
              size="small"
              onClick={() => {
                void drop(draft);
                onStart({ document: draft.document, text: draft.text, unsaved: true });
              }}
            >
              Restore
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Leads those who came for a template past what stands above them. */
function useTemplatesFirst() {
  const asked = new URLSearchParams(useSearch()).get("from") === "templates";
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!asked) return;
    // After the shell has put a page that was gone to at its top.
    const frame = requestAnimationFrame(() => {
      heading.current?.scrollIntoView({ block: "start" });
      heading.current?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [asked]);
  return heading;
}

/** What a new workflow starts with: nothing, a template, a file, or what was left unsaved. */
export default function NewWorkflowPage({ onStart }: Starts) {
  const [importing, setImporting] = useState(false);
  const mayNot = useWhyNot("edit");
  const templates = useTemplatesFirst();
  if (mayNot) {
    return (
      <Page title="New workflow">
        <EmptyState
          icon={<FilePlus2 />}
          title="You can't make workflows"
          actions={
            <LinkButton kind="primary" href="/">
              Go to the overview
            </LinkButton>
          }
        >
          {mayNot} An administrator can change your role.
        </EmptyState>
      </Page>
    );
  }
  return (
    <Page
      title="New workflow"
      subtitle="Start with an empty canvas, or with a copy of a template. Nothing is saved before you say so."
      actions={
        <>
          <Button icon={<FileInput />} onClick={() => setImporting(true)}>
            Import…
          </Button>
          <Button kind="primary" icon={<FilePlus2 />} onClick={() => onStart({ document: blank })}>
            Blank workflow
          </Button>
        </>
      }
    >
      <LeftDrafts onStart={onStart} />
      <section aria-labelledby="templates">
        <h2 ref={templates} id="templates" tabIndex={-1} className={styles.heading}>
          Templates
        </h2>
        <Templates onStart={onStart} />
      </section>
      <ImportDialog
        open={importing}
        onOpenChange={setImporting}
        onImport={(document, text) => onStart({ document, text, unsaved: true })}
      />
    </Page>
  );
}
