import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Download, ScrollText } from "lucide-react";
import { useEffect, useId, useMemo, useState } from "react";
import { auditExport, auditQuery, serversOwn, usersQuery } from "../../api/accounts";
import { useWhyNot } from "../../api/role";
import { useAnnounced } from "../../components/announce";
import { Button } from "../../components/Button";
import { Card } from "../../components/Card";
import { DayRange } from "../../components/DayRange";
import { EmptyState } from "../../components/EmptyState";
import { ErrorNotice } from "../../components/ErrorNotice";
import { fieldStyles } from "../../components/Field";
import { NotForRole } from "../../components/NotForRole";
import { Page } from "../../components/Page";
import { Select } from "../../components/Select";
import { SkeletonRows } from "../../components/SkeletonRows";
import { type Column, Table } from "../../components/Table";
import { useUrl } from "../../components/useUrl";
import { custom, rangeChoices } from "../../lib/range";
import { count } from "../../lib/text";
import styles from "./AuditPage.module.css";
import { AuditRow } from "./AuditRow";
import { Chain } from "./Chain";
import { actionChoices, defaults, type Filters, resultChoices, toFilter } from "./words";

const columns: readonly Column[] = [
  { id: "when", label: "When" },
  { id: "who", label: "Who" },
  { id: "what", label: "What" },
  { id: "on", label: "On" },
  { id: "result", label: "Result" },
  { id: "from", label: "From" },
  { id: "details", label: "Details", hidden: true, shrink: true },
];

/** How long somebody types before a list is asked for, in milliseconds. */
const pause = 350;

interface TextFilterProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  suggestions?: readonly string[];
}

/** A text that narrows the list once one stops typing. */
function TextFilter({ label, value, onChange, suggestions }: TextFilterProps) {
  const [typed, setTyped] = useState(value);
  const list = useId();
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed), pause);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);
  return (
    <>
      <input
        className={fieldStyles.control}
        aria-label={label}
        placeholder={label}
        autoComplete="off"
        spellCheck={false}
        list={suggestions && list}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      {suggestions && (
        <datalist id={list}>
          {suggestions.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
    </>
  );
}

function FilterBar({ filters, onSet }: { filters: Filters; onSet: (next: Partial<Filters>) => void }) {
  const users = useQuery(usersQuery).data ?? [];
  const filtered = Object.values(filters).some(Boolean);
  return (
    <search className={styles.filters} aria-label="Filters">
      <TextFilter
        label="Who"
        value={filters.who}
        onChange={(who) => onSet({ who })}
        suggestions={[serversOwn, ...users.map(({ name }) => name)]}
      />
      <Select
        aria-label="Action"
        choices={actionChoices}
        value={filters.action}
        onChoose={(action) => onSet({ action })}
      />
      <TextFilter
        label="On, such as workflows/"
        value={filters.object}
        onChange={(object) => onSet({ object })}
        suggestions={["workflows/", "executions/", "users/", "tokens/", "secrets/", "plugins/", "triggers/"]}
      />
      <Select
        aria-label="Result"
        choices={resultChoices}
        value={filters.result}
        onChoose={(result) => onSet({ result })}
      />
      <Select
        aria-label="Time"
        choices={rangeChoices}
        value={filters.range}
        onChoose={(range) => onSet({ range, since: "", until: "" })}
      />
      {filters.range === custom && <DayRange since={filters.since} until={filters.until} onChange={onSet} />}
      {filtered && (
        <Button kind="quiet" onClick={() => onSet(defaults)}>
          Clear filters
        </Button>
      )}
    </search>
  );
}

function Trail() {
  const [filters, setFilters] = useUrl(defaults);
  const { who, action, object, result, range, since, until } = filters;
  const filter = useMemo(
    () => toFilter({ who, action, object, result, range, since, until }, Date.now()),
    [who, action, object, result, range, since, until],
  );
  const list = useInfiniteQuery({ ...auditQuery(filter), placeholderData: (before) => before, staleTime: 0 });
  const records = list.data?.pages.flatMap((page) => page.records);
  const empty = records?.length === 0;
  const shown = records && (list.hasNextPage ? `${records.length} shown` : count(records.length, "record"));
  useAnnounced(shown ?? null);
  return (
    <Page
      title="Audit trail"
      subtitle="Every change and every sign-in, the newest first"
      actions={
        <>
          <Button busy={list.isFetching && !list.isFetchingNextPage} onClick={() => void list.refetch()}>
            Refresh
          </Button>
          <a className={styles.export} href={auditExport(filter)} download="audit.jsonl">
            <Download aria-hidden="true" />
            Export as JSON lines
          </a>
        </>
      }
    >
      <Card>
        <FilterBar filters={filters} onSet={(next) => setFilters(next, { push: true })} />
        {list.error && (
          <div className={styles.notice}>
            <ErrorNotice
              error={list.error}
              doing="The audit trail could not be loaded"
              onRetry={() => void list.refetch()}
              retrying={list.isFetching}
            />
          </div>
        )}
        {empty && (
          <EmptyState
            icon={<ScrollText />}
            title="No record matches"
            actions={<Button onClick={() => setFilters(defaults)}>Clear filters</Button>}
          >
            Choose a longer time, or fewer conditions.
          </EmptyState>
        )}
        {!empty && (records || !list.error) && (
          <Table label="Audit trail" columns={columns} dense busy={!records}>
            {records ? (
              records.map((record) => <AuditRow key={record.seq} record={record} columns={columns.length} />)
            ) : (
              <SkeletonRows columns={columns} rows={8} />
            )}
          </Table>
        )}
        {records && !empty && (
          <div className={styles.more}>
            <span>{shown}</span>
            {list.hasNextPage && (
              <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                Load older ones
              </Button>
            )}
          </div>
        )}
      </Card>
      <Card title="The chain" padded>
        <Chain />
        <p className={styles.hint}>
          An export holds at most 20,000 records; “vwmp audit --output jsonl” gives all there are.
        </p>
      </Card>
    </Page>
  );
}

/** Who did what, on what, from where, with which result. */
export default function AuditPage() {
  const mayNot = useWhyNot("audit");
  if (!mayNot) return <Trail />;
  return (
    <Page title="Audit trail">
      <NotForRole why={mayNot} />
    </Page>
  );
}
