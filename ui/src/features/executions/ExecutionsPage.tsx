import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { CircleX, History } from "lucide-react";
import { useMemo } from "react";
import { executionsQuery, workflowsQuery } from "../../api/queries";
import { useShortcuts } from "../../app/shortcuts";
import { useAnnounced } from "../../components/announce";
import { Button } from "../../components/Button";
import { Card } from "../../components/Card";
import { DayRange } from "../../components/DayRange";
import { EmptyState } from "../../components/EmptyState";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Page } from "../../components/Page";
import { Select } from "../../components/Select";
import { useUrl } from "../../components/useUrl";
import { custom, rangeChoices } from "../../lib/range";
import { count } from "../../lib/text";
import { ExecutionRows } from "../execution-list/ExecutionRows";
import styles from "./ExecutionsPage.module.css";
import { defaults, type Filters, isFiltered, resultChoices, toFilter, triggerChoices } from "./filters";

function WorkflowSelect({ value, onChoose }: { value: string; onChoose: (id: string) => void }) {
  const workflows = useQuery(workflowsQuery).data;
  const choices = useMemo(() => {
    const known = (workflows ?? []).map(({ id, name }) => ({ value: id, label: name }));
    known.sort((a, b) => a.label.localeCompare(b.label));
    // A workflow that is deleted still has executions.
    if (value && !known.some((each) => each.value === value)) known.unshift({ value, label: value });
    return [{ value: "", label: "Any workflow" }, ...known];
  }, [workflows, value]);
  return <Select aria-label="Workflow" choices={choices} value={value} onChoose={onChoose} />;
}

function FilterBar({ filters, onSet }: { filters: Filters; onSet: (next: Partial<Filters>) => void }) {
  const onlyFailed = filters.result === "failed";
  const toggleFailed = () => onSet({ result: onlyFailed ? "" : "failed" });
  useShortcuts([{ keys: "F", label: "Show only failed", group: "Executions", run: toggleFailed }]);
  return (
    <search className={styles.filters} aria-label="Filters">
      <WorkflowSelect value={filters.workflow} onChoose={(workflow) => onSet({ workflow })} />
      <Select
        aria-label="Result"
        choices={resultChoices}
        value={filters.result}
        onChoose={(result) => onSet({ result })}
      />
      <Select
        aria-label="Trigger"
        choices={triggerChoices}
        value={filters.trigger}
        onChoose={(trigger) => onSet({ trigger })}
      />
      <Select
        aria-label="Time"
        choices={rangeChoices}
        value={filters.range}
        onChoose={(range) => onSet({ range, since: "", until: "" })}
      />
      {filters.range === custom && <DayRange since={filters.since} until={filters.until} onChange={onSet} />}
      <span className={styles.grow} />
      <Button icon={<CircleX />} aria-pressed={onlyFailed} onClick={toggleFailed}>
        Only failed
      </Button>
      {isFiltered(filters) && (
        <Button kind="quiet" onClick={() => onSet(defaults)}>
          Clear filters
        </Button>
      )}
    </search>
  );
}

/** Every execution, the newest first, narrowed by what stands in the address. */
export default function ExecutionsPage() {
  const [filters, setFilters] = useUrl(defaults);
  const { workflow, result, trigger, range, since, until } = filters;
  const filter = useMemo(
    () => toFilter({ workflow, result, trigger, range, since, until }, Date.now()),
    [workflow, result, trigger, range, since, until],
  );
  const list = useInfiniteQuery({ ...executionsQuery(filter), placeholderData: (before) => before });
  const executions = list.data?.pages.flatMap((page) => page.executions);
  const set = (next: Partial<Filters>) => setFilters(next, { push: true });
  const empty = executions?.length === 0;
  const shown = executions && (list.hasNextPage ? `${executions.length} shown` : count(executions.length, "execution"));
  useAnnounced(shown ?? null);
  return (
    <Page title="Executions" subtitle="Every run, the newest first">
      <Card>
        <FilterBar filters={filters} onSet={set} />
        {list.error && (
          <div className={styles.notice}>
            <ErrorNotice
              error={list.error}
              doing="The executions could not be loaded"
              onRetry={() => void list.refetch()}
              retrying={list.isFetching}
            />
          </div>
        )}
        {empty && !isFiltered(filters) && (
          <EmptyState icon={<History />} title="Nothing was executed yet">
            Execute a workflow from the overview or the designer; what it did is kept here.
          </EmptyState>
        )}
        {empty && isFiltered(filters) && (
          <EmptyState
            title="No execution matches these filters"
            actions={<Button onClick={() => set(defaults)}>Clear filters</Button>}
          >
            Choose a longer time, or fewer conditions.
          </EmptyState>
        )}
        {!empty && (executions || !list.error) && <ExecutionRows executions={executions} />}
        {executions && !empty && (
          <div className={styles.more}>
            <span>{shown}</span>
            {list.hasNextPage && (
              <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                Load more
              </Button>
            )}
          </div>
        )}
      </Card>
    </Page>
  );
}
