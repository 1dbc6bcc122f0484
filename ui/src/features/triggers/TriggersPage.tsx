import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Zap } from "lucide-react";
import { useMemo } from "react";
import { fireTrigger, pauseTrigger, resumeTrigger } from "../../api/actions";
import { keys, refreshExecutions, triggersQuery } from "../../api/queries";
import type { Trigger } from "../../api/types";
import { Button, LinkButton } from "../../components/Button";
import { Card } from "../../components/Card";
import { EmptyState } from "../../components/EmptyState";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Page } from "../../components/Page";
import { SearchField } from "../../components/SearchField";
import { Select } from "../../components/Select";
import { SkeletonRows } from "../../components/SkeletonRows";
import { type Column, Table } from "../../components/Table";
import { toast } from "../../components/toast";
import { useUrl } from "../../components/useUrl";
import { matches } from "../../lib/text";
import { stateOf, typeNames, whenText } from "../trigger-list/describe";
import { TriggerRow } from "./TriggerRow";
import styles from "./TriggersPage.module.css";

const columns: readonly Column[] = [
  { id: "workflow", label: "Workflow" },
  { id: "when", label: "Fires" },
  { id: "state", label: "State" },
  { id: "next", label: "Next due" },
  { id: "last", label: "Last firing" },
  { id: "actions", label: "Actions", hidden: true, shrink: true },
];

const typeChoices = [
  { value: "", label: "Any type" },
  ...Object.entries(typeNames).map(([value, label]) => ({ value, label })),
];
const stateChoices = [
  { value: "", label: "Any state" },
  { value: "active", label: "Active" },
  { value: "paused", label: "Paused" },
  { value: "off", label: "Off" },
  { value: "stuck", label: "Stuck: it never fires" },
  { value: "troubled", label: "Last one missed or refused" },
];
const defaults = { q: "", type: "", state: "", workflow: "" };

function isIn(trigger: Trigger, { q, type, state, workflow }: typeof defaults): boolean {
  if (workflow && trigger.workflow_id !== workflow) return false;
  if (type && trigger.type !== type) return false;
  if (state === "troubled" && !["missed", "refused"].includes(trigger.last_firing?.outcome ?? "")) return false;
  if (state && state !== "troubled" && stateOf(trigger) !== state) return false;
  return matches(q.trim(), trigger.workflow_name, trigger.trigger_id, whenText(trigger));
}

/** What starts workflows without a person. */
export default function TriggersPage() {
  const queries = useQueryClient();
  const [url, setUrl] = useUrl(defaults);
  // What is missed makes no event, so that the list is asked for again.
  const list = useQuery({ ...triggersQuery(), refetchInterval: 15_000 });
  const shown = useMemo(() => list.data?.filter((trigger) => isIn(trigger, url)), [list.data, url]);
  const fire = useMutation({
    mutationFn: (trigger: Trigger) => fireTrigger(trigger.id),
    onSuccess: (started, trigger) => {
      toast({
        title: `“${trigger.workflow_name}” is executing`,
        kind: "success",
        action: { label: "View", href: `/executions/${started.execution_id}` },
      });
      void refreshExecutions(queries);
    },
    // A refusal is recorded as a firing too.
    onSettled: () => void queries.invalidateQueries({ queryKey: keys.triggers }),
  });
  const turn = useMutation({
    mutationFn: (trigger: Trigger) => (trigger.paused ? resumeTrigger(trigger.id) : pauseTrigger(trigger.id)),
    onSettled: () => void queries.invalidateQueries({ queryKey: keys.triggers }),
  });
  const filtered = Boolean(url.q || url.type || url.state || url.workflow);
  const failed = fire.error ?? turn.error;

  return (
    <Page title="Triggers" subtitle="What starts workflows without a person">
      {list.error && !list.data && (
        <ErrorNotice
          error={list.error}
          doing="The triggers could not be loaded"
          onRetry={() => void list.refetch()}
          retrying={list.isFetching}
        />
      )}
      {failed && (
        <ErrorNotice
          error={failed}
          doing={fire.error ? "The trigger could not be fired" : "The trigger could not be paused or resumed"}
        />
      )}
      {(list.data || !list.error) && (
        <Card
          title="All triggers"
          aside={
            list.data?.length !== 0 && (
              <div className={styles.filters}>
                {url.workflow && (
                  <Button kind="quiet" onClick={() => setUrl({ workflow: "" })}>
                    Show all workflows
                  </Button>
                )}
                <Select
                  aria-label="Type"
                  choices={typeChoices}
                  value={url.type}
                  onChoose={(type) => setUrl({ type })}
                />
                <Select
                  aria-label="State"
                  choices={stateChoices}
                  value={url.state}
                  onChoose={(state) => setUrl({ state })}
                />
                <SearchField label="Search triggers" value={url.q} onChange={(q) => setUrl({ q })} />
              </div>
            )
          }
        >
          {list.data?.length === 0 && (
            <EmptyState
              icon={<Zap />}
              title="No workflow has a trigger"
              actions={
                <LinkButton kind="primary" href="/">
                  Choose a workflow
                </LinkButton>
              }
            >
              Add a schedule, a webhook, the end of another workflow or a change of files to a workflow under
              “triggers”.
            </EmptyState>
          )}
          {list.data && list.data.length > 0 && shown?.length === 0 && (
            <EmptyState
              title={url.q.trim() ? `Nothing matches “${url.q.trim()}”` : "No trigger matches these filters"}
              actions={filtered && <Button onClick={() => setUrl(defaults)}>Clear</Button>}
            />
          )}
          {(!list.data || (shown && shown.length > 0)) && (
            <Table label="Triggers" columns={columns} busy={!list.data}>
              {shown ? (
                shown.map((trigger) => (
                  <TriggerRow
                    key={trigger.id}
                    trigger={trigger}
                    columns={columns.length}
                    busy={fire.isPending && fire.variables.id === trigger.id}
                    onFire={() => !fire.isPending && fire.mutate(trigger)}
                    onTurn={() => turn.mutate(trigger)}
                  />
                ))
              ) : (
                <SkeletonRows columns={columns} rows={5} />
              )}
            </Table>
          )}
        </Card>
      )}
    </Page>
  );
}
