import { ChevronLeft, ChevronRight, Plus, Workflow } from "lucide-react";
import { type ReactNode, useCallback, useMemo, useRef, useState } from "react";
import { useShortcuts } from "../../app/shortcuts";
import { useAnnounced } from "../../components/announce";
import { Button, IconButton, LinkButton } from "../../components/Button";
import { Card } from "../../components/Card";
import { EmptyState } from "../../components/EmptyState";
import { SearchField } from "../../components/SearchField";
import { Select } from "../../components/Select";
import { readOrder, Table, writeOrder } from "../../components/Table";
import { useUrl } from "../../components/useUrl";
import { count } from "../../lib/text";
import { useWorkflowActions } from "../workflow-menu/useWorkflowActions";
import { columns, kept, narrow, newestFirst, type Row, resultFilters, sorted } from "./rows";
import { SkeletonRow, WorkflowRow } from "./WorkflowRow";
import styles from "./WorkflowTable.module.css";

const perPage = 50;
const skeletonRows = Array.from({ length: 8 }, (_, index) => index);
const defaults = { q: "", result: "", sort: writeOrder(newestFirst), page: "1" };

/**
 * Rows change while one looks at them. As long as the pointer or the focus is
 * among them they keep their places, so that nobody presses what was somewhere
 * else a moment ago.
 */
function useCalmOrder(rows: Row[], asked: string): [Row[], object] {
  const [held, setHeld] = useState(false);
  const last = useRef<{ asked: string; ids: string[] }>({ asked: "", ids: [] });
  const shown = held && last.current.asked === asked ? kept(rows, last.current.ids) : rows;
  last.current = { asked, ids: shown.map((row) => row.workflow.id) };
  const handlers = useMemo(
    () => ({
      onPointerEnter: () => setHeld(true),
      onPointerLeave: () => setHeld(false),
      onFocus: () => setHeld(true),
      onBlur: () => setHeld(false),
    }),
    [],
  );
  return [shown, handlers];
}

interface PagesProps {
  page: number;
  pages: number;
  total: number;
  onPage: (page: number) => void;
}

function Pages({ page, pages, total, onPage }: PagesProps) {
  const from = (page - 1) * perPage + 1;
  return (
    <nav className={styles.foot} aria-label="Pages of workflows">
      <span>
        {from} to {Math.min(total, from + perPage - 1)} of {new Intl.NumberFormat().format(total)}
      </span>
      <span className={styles.pages}>
        <IconButton
          label="Previous page"
          icon={<ChevronLeft />}
          bordered
          disabled={page <= 1}
          onClick={() => onPage(page - 1)}
        />
        Page {page} of {pages}
        <IconButton
          label="Next page"
          icon={<ChevronRight />}
          bordered
          disabled={page >= pages}
          onClick={() => onPage(page + 1)}
        />
      </span>
    </nav>
  );
}

function NoWorkflows() {
  return (
    <EmptyState
      icon={<Workflow />}
      title="No workflows yet"
      actions={
        <>
          <LinkButton href="/designer?from=templates">Start from a template</LinkButton>
          <LinkButton kind="primary" href="/designer" icon={<Plus />}>
            New workflow
          </LinkButton>
        </>
      }
    >
      A workflow is a number of steps that depend on each other. Draw one, or begin with one that works.
    </EmptyState>
  );
}

function NothingMatches({ search, onClear }: { search: string; onClear: () => void }) {
  return (
    <EmptyState
      title={search.trim() ? `Nothing matches “${search.trim()}”` : "No workflow has this last result"}
      actions={<Button onClick={onClear}>Clear</Button>}
    >
      Look for a part of a name, a description or a tag.
    </EmptyState>
  );
}

/** All workflows: searched, narrowed and sorted by what stands in the address. */
export function WorkflowTable({ rows, error }: { rows: Row[] | undefined; error: ReactNode }) {
  const [url, setUrl] = useUrl(defaults);
  const search = useRef<HTMLInputElement>(null);
  const focusSearch = useCallback(() => search.current?.focus(), []);
  const actions = useWorkflowActions({ onDeleted: focusSearch });
  const order = readOrder(url.sort, columns, newestFirst);
  const narrowed = useMemo(
    () => sorted(narrow(rows ?? [], url.q, url.result), { column: order.column, descending: order.descending }),
    [rows, url.q, url.result, order.column, order.descending],
  );
  const [shown, calm] = useCalmOrder(narrowed, `${url.q}\n${url.result}\n${url.sort}`);
  const pages = Math.max(1, Math.ceil(shown.length / perPage));
  const page = Math.min(pages, Math.max(1, Math.trunc(Number(url.page)) || 1));
  const empty = rows?.length === 0;
  useAnnounced(rows ? (url.q || url.result ? count(shown.length, "workflow") : "") : null);
  useShortcuts([{ keys: "/", label: "Search workflows", group: "Overview", run: focusSearch, enabled: !empty }]);

  return (
    <Card
      title="Workflows"
      aside={
        !empty && (
          <div className={styles.filters}>
            <Select
              aria-label="Last result"
              choices={resultFilters}
              value={url.result}
              onChoose={(result) => setUrl({ result, page: "" })}
            />
            <SearchField
              ref={search}
              label="Search workflows"
              value={url.q}
              onChange={(q) => setUrl({ q, page: "" })}
            />
          </div>
        )
      }
    >
      {(error || actions.notice) && (
        <div className={styles.notice}>
          {error}
          {actions.notice}
        </div>
      )}
      {empty && <NoWorkflows />}
      {rows && !empty && shown.length === 0 && (
        <NothingMatches
          search={url.q}
          onClear={() => {
            setUrl({ q: "", result: "", page: "" });
            focusSearch();
          }}
        />
      )}
      {(rows ? shown.length > 0 : !error) && (
        <div {...calm}>
          <Table
            label="Workflows"
            columns={columns}
            order={order}
            onOrder={(next) => setUrl({ sort: writeOrder(next), page: "" })}
            busy={!rows}
          >
            {rows
              ? shown
                  .slice((page - 1) * perPage, page * perPage)
                  .map((row) => <WorkflowRow key={row.workflow.id} row={row} actions={actions} />)
              : skeletonRows.map((index) => <SkeletonRow key={index} />)}
          </Table>
        </div>
      )}
      {pages > 1 && (
        <Pages page={page} pages={pages} total={shown.length} onPage={(next) => setUrl({ page: String(next) })} />
      )}
      {actions.dialogs}
    </Card>
  );
}
