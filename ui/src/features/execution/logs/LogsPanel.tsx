import { useMutation } from "@tanstack/react-query";
import { ChevronDown, ChevronUp, Download, Maximize2, Minimize2, WrapText } from "lucide-react";
import { useCallback, useDeferredValue, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { hasEnded } from "../../../api/types";
import { useAnnounced } from "../../../components/announce";
import { Button, IconButton } from "../../../components/Button";
import { Card } from "../../../components/Card";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { SearchField } from "../../../components/SearchField";
import { Select } from "../../../components/Select";
import { count } from "../../../lib/text";
import { useRunPage } from "../context";
import { filterLines, type Line, type levels, maxLines, Search } from "../model/logs";
import { saveLog } from "./download";
import { LogList, type LogListHandle } from "./LogList";
import styles from "./LogsPanel.module.css";

const levelChoices = [
  { value: "debug", label: "All levels" },
  { value: "info", label: "Info and above" },
  { value: "warning", label: "Warnings and errors" },
  { value: "error", label: "Errors only" },
] as const satisfies readonly { value: (typeof levels)[number]; label: string }[];

/** What is looked for in the lines, and where it stands. */
function useSearch(lines: readonly Line[], list: { current: LogListHandle | null }) {
  const [query, setQuery] = useState("");
  const wanted = useDeferredValue(query);
  const [search] = useState(() => new Search());
  const found = useMemo(() => search.find(lines, wanted), [search, lines, wanted]);
  const [current, setCurrent] = useState(-1);
  const here = found.indexOf(current);
  const go = useCallback(
    (by: 1 | -1) => {
      if (found.length === 0) return;
      const next =
        by > 0
          ? (found.find((index) => index > current) ?? found[0]!)
          : (found.findLast((index) => index < current) ?? found.at(-1)!);
      list.current?.goTo(next);
    },
    [found, current, list],
  );
  return { query, setQuery, wanted, found, here, current, setCurrent, go };
}

interface LogsPanelProps {
  /** The id of the step whose lines are shown; empty for all. */
  step: string;
  onStep: (step: string) => void;
}

/** The log of the run as it is written. */
export function LogsPanel({ step, onStep }: LogsPanelProps) {
  const { id, live, run, rows, shown } = useRunPage();
  const all = useSyncExternalStore(live.logs.subscribe, live.logs.get);
  const state = useSyncExternalStore(live.logs.subscribe, live.logs.state);
  const [level, setLevel] = useState("debug");
  const [wrap, setWrap] = useState(false);
  const [large, setLarge] = useState(false);
  const lines = useMemo(() => filterLines(all, { step, level }), [all, step, level]);
  const list = useRef<LogListHandle>(null);
  const search = useSearch(lines, list);
  const matched = new Intl.NumberFormat().format(search.found.length);
  const found = !search.wanted
    ? ""
    : search.found.length === 0
      ? "Not found"
      : search.here >= 0
        ? `${search.here + 1} of ${matched}`
        : matched;
  useAnnounced(found);
  const names = useMemo(() => new Map(rows.map(({ result }) => [result.step_id, result.step_name])), [rows]);
  const stepName = useCallback((stepId: string) => names.get(stepId) ?? stepId, [names]);
  const withLines = rows.filter(({ result }) => result.log_count > 0 || result.step_id === step);

  const save = useMutation({ mutationFn: () => saveLog(id) });

  return (
    <Card
      title="Log"
      className={styles.card}
      aside={
        <>
          <span>
            {lines.length === all.length
              ? count(all.length, "line")
              : `${new Intl.NumberFormat().format(lines.length)} of ${count(all.length, "line")}`}
          </span>
          <IconButton
            size="small"
            label="Wrap long lines"
            icon={<WrapText />}
            aria-pressed={wrap}
            onClick={() => setWrap(!wrap)}
          />
          <IconButton
            size="small"
            label="Larger"
            icon={large ? <Minimize2 /> : <Maximize2 />}
            aria-pressed={large}
            onClick={() => setLarge(!large)}
          />
          <Button size="small" icon={<Download />} busy={save.isPending} onClick={() => save.mutate()}>
            Download all
          </Button>
        </>
      }
    >
      {save.error && (
        <div className={styles.error}>
          <ErrorNotice
            error={save.error}
            doing="The log could not be downloaded"
            onRetry={() => save.mutate()}
            onClose={() => save.reset()}
          />
        </div>
      )}
      <div className={styles.tools}>
        <Select
          className={styles.select}
          aria-label="Step"
          value={step}
          onChoose={onStep}
          choices={[
            { value: "", label: "All steps" },
            ...withLines.map(({ result }) => ({ value: result.step_id, label: result.step_name })),
          ]}
        />
        <Select className={styles.select} aria-label="Level" value={level} onChoose={setLevel} choices={levelChoices} />
        <search
          className={styles.search}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
            event.preventDefault();
            search.go(event.shiftKey ? -1 : 1);
          }}
        >
          <SearchField label="Search the log" value={search.query} onChange={search.setQuery} />
          {found && <span className={styles.found}>{found}</span>}
          <IconButton
            size="small"
            label="Previous match"
            hint="Shift+Enter"
            icon={<ChevronUp />}
            aria-disabled={search.found.length === 0}
            onClick={() => search.go(-1)}
          />
          <IconButton
            size="small"
            label="Next match"
            hint="Enter"
            icon={<ChevronDown />}
            aria-disabled={search.found.length === 0}
            onClick={() => search.go(1)}
          />
        </search>
      </div>
      {live.logs.dropped > 0 && (
        <p className={styles.notice}>
          The newest {new Intl.NumberFormat().format(Math.min(all.length, maxLines))} lines are shown; download all for
          the rest.
        </p>
      )}
      {state === "failed" && <p className={styles.notice}>Earlier lines could not be read; trying again.</p>}
      <div className={large ? styles.large : undefined}>
        {lines.length > 0 ? (
          <LogList
            key={`${step} ${level}`}
            ref={list}
            lines={lines}
            wrap={wrap}
            mark={search.wanted}
            current={search.current}
            onCurrent={search.setCurrent}
            shown={shown}
            stepName={step ? undefined : stepName}
          />
        ) : (
          <Nothing filtered={all.length > 0} loading={state === "loading"} ended={hasEnded(run.result.status)} />
        )}
      </div>
    </Card>
  );
}

function Nothing({ filtered, loading, ended }: { filtered: boolean; loading: boolean; ended: boolean }) {
  if (filtered) return <EmptyState title="No line passes the filter">Choose another step or level.</EmptyState>;
  if (loading) return <EmptyState title="Reading the log…" />;
  return (
    <EmptyState title={ended ? "Nothing was written to the log" : "Nothing was written to the log yet"}>
      {ended ? "The steps of this run wrote no lines." : "Lines appear here as the steps write them."}
    </EmptyState>
  );
}
