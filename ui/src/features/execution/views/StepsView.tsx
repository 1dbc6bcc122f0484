import { useMemo, useState } from "react";
import { hasEnded } from "../../../api/types";
import { Button } from "../../../components/Button";
import { EmptyState } from "../../../components/EmptyState";
import { SearchField } from "../../../components/SearchField";
import { StatusPill } from "../../../components/StatusPill";
import { useMedia } from "../../../components/useMedia";
import { useNow } from "../../../components/useNow";
import { count, matches } from "../../../lib/text";
import { duration } from "../../../lib/time";
import { type StepRow, stepNote, stepSeconds } from "../../run/steps";
import { useRunPage } from "../context";
import { ColumnHead, PlacedRow, Row, RowCell, RowGroup, RowHead, RowTable } from "./RowTable";
import { useRows } from "./useRows";
import styles from "./views.module.css";

/** The steps of the run as a list. */
export function StepsView() {
  const { rows } = useRunPage();
  const [query, setQuery] = useState("");
  const [failedOnly, setFailedOnly] = useState(false);
  const failed = rows.filter(({ result }) => result.status === "failed").length;
  const shown = useMemo(
    () =>
      rows.filter(
        ({ result }) =>
          (!failedOnly || result.status === "failed") &&
          matches(query, result.step_id, result.step_name, result.handler, result.status),
      ),
    [rows, query, failedOnly],
  );
  return (
    <>
      {rows.length > 6 && (
        <div className={styles.tools}>
          <SearchField label="Search the steps" value={query} onChange={setQuery} />
          {failed > 0 && (
            <Button size="small" aria-pressed={failedOnly} onClick={() => setFailedOnly(!failedOnly)}>
              {failedOnly ? "Show all" : `Only failed (${failed})`}
            </Button>
          )}
        </div>
      )}
      {shown.length > 0 ? (
        <List rows={shown} />
      ) : (
        <EmptyState
          title={query ? `Nothing matches “${query}”` : "No step failed"}
          actions={
            <Button
              onClick={() => {
                setQuery("");
                setFailedOnly(false);
              }}
            >
              Clear
            </Button>
          }
        />
      )}
    </>
  );
}

function List({ rows: steps }: { rows: readonly StepRow[] }) {
  const narrow = useMedia("(max-width: 720px)");
  const places = useMemo(() => new Map(steps.map(({ result }, index) => [result.step_id, index])), [steps]);
  const { scroller, rows, onKeyDown } = useRows(steps.length, (id) => places.get(id) ?? -1, narrow ? 76 : 56);
  return (
    <RowTable ref={scroller} className={styles.scroller} label="Steps" rows={steps.length + 1} onKeyDown={onKeyDown}>
      <RowGroup className={styles.head}>
        <Row row={1} className={styles.headRow}>
          {["Step", "Status", "Duration", "Where it is"].map((label) => (
            <ColumnHead key={label}>{label}</ColumnHead>
          ))}
        </Row>
      </RowGroup>
      <RowGroup style={{ height: rows.getTotalSize(), position: "relative" }}>
        {rows.getVirtualItems().map(({ index, start, size }) => (
          <StepLine key={steps[index]!.result.step_id} row={steps[index]!} index={index} top={start} height={size} />
        ))}
      </RowGroup>
    </RowTable>
  );
}

function StepLine({ row, ...place }: { row: StepRow; index: number; top: number; height: number }) {
  const { step, select, run, shown } = useRunPage();
  const { result } = row;
  const id = result.step_id;
  return (
    <PlacedRow
      {...place}
      row={place.index + 2}
      className={styles.stepRow}
      chosen={id === step}
      onClick={() => select(id)}
    >
      <RowHead className={styles.name}>
        <button type="button" data-row="" className={styles.choose} aria-current={id === step || undefined}>
          {result.step_name}
        </button>
        <code className={styles.stepId}>{id}</code>
      </RowHead>
      <RowCell className={styles.status}>
        <StatusPill status={result.status} size="small" />
      </RowCell>
      <RowCell className={styles.time}>
        <StepTime row={row} />
        {result.attempts > 1 && <span className={styles.attempts}>{count(result.attempts, "attempt")}</span>}
      </RowCell>
      <RowCell className={styles.note}>{stepNote(result, shown, run.saying[id])}</RowCell>
    </PlacedRow>
  );
}

function StepTime({ row: { result } }: { row: StepRow }) {
  if (!result.started_at) return null;
  if (hasEnded(result.status)) return <>{duration(result.execution_time)}</>;
  return <TickingTime result={result} />;
}

function TickingTime({ result }: StepRow) {
  const seconds = stepSeconds(result, useNow(1000)) ?? 0;
  return <>{duration(Math.floor(seconds))}</>;
}
