import { GitFork, Logs, RotateCcw, SquarePen } from "lucide-react";
import { Link } from "wouter";
import { useMay } from "../../../api/role";
import { hasEnded, type StepResult } from "../../../api/types";
import { Button, LinkButton } from "../../../components/Button";
import { StatusIcon } from "../../../components/StatusIcon";
import { bytes, capital, count } from "../../../lib/text";
import { clockTime, duration, exactTime, isSet } from "../../../lib/time";
import { LogText } from "../../run/LogText";
import { useRunPage } from "../context";
import { designerHref } from "../links";
import { Answers } from "./Answers";
import { Artifacts } from "./Artifacts";
import { Failure } from "./Failure";
import { Items } from "./Items";
import { Input, Output } from "./Payload";
import { Section } from "./Section";
import styles from "./StepDetails.module.css";
import { Why } from "./Why";

/** Everything of one step. */
export function StepDetails({ result }: { result: StepResult }) {
  const { run, allowed, refused } = useRunPage();
  const asks = [result, ...(result.items ?? [])].some(
    ({ status, waiting }) => status === "interrupted" || waiting?.reason === "approval" || waiting?.reason === "signal",
  );
  const ended = hasEnded(run.result.status);
  return (
    <>
      {result.error && <Failure error={result.error} />}
      {allowed.answer && !refused.answer && <Answers result={result} />}
      {allowed.answer && refused.answer && asks && <p className={styles.note}>{refused.answer}</p>}
      <Links result={result} />
      <Section title="Why it is like this">
        <Why id={result.step_id} status={result.status} />
      </Section>
      {(result.items || (result.item_count ?? 0) > 0) && (
        <Section title={count(result.item_count ?? 0, "item")}>
          <Items result={result} />
        </Section>
      )}
      {!result.items && <Input key={`${result.status} ${result.attempts}`} step={result.step_id} />}
      <Output step={result.step_id} output={result.output} ended={hasEnded(result.status)} />
      <Attempts result={result} />
      {ended && result.log_count > 0 && <Artifacts step={result.step_id} />}
    </>
  );
}

function Links({ result }: { result: StepResult }) {
  const { run, allowed, refused, ask, showLog } = useRunPage();
  const mayEdit = useMay("edit");
  const id = result.step_id;
  return (
    <div className={styles.links}>
      {result.waiting?.reason === "time" && (
        <p className={styles.note}>
          Waits until {isSet(result.waiting.until) ? exactTime(result.waiting.until) : "a time that is not known yet"}.
        </p>
      )}
      {result.child_execution_id && (
        <LinkButton size="small" href={`/executions/${result.child_execution_id}`}>
          Open the run that it started
        </LinkButton>
      )}
      {result.kept_from && (
        <p className={styles.note}>
          Its result was kept from <Link href={`/executions/${result.kept_from}?step=${id}`}>an earlier run</Link>.
        </p>
      )}
      {result.log_count > 0 && (
        <Button size="small" icon={<Logs />} onClick={() => showLog(id)}>
          Show its log
        </Button>
      )}
      <LinkButton size="small" icon={<SquarePen />} href={designerHref(run.result.workflow_id, id)}>
        {mayEdit ? "Edit in the designer" : "Show in the designer"}
      </LinkButton>
      {allowed.repeat && (
        <>
          <Button size="small" icon={<RotateCcw />} why={refused.repeat} onClick={() => ask("retry", id)}>
            Retry from here
          </Button>
          <Button size="small" icon={<GitFork />} why={refused.repeat} onClick={() => ask("fork", id)}>
            Fork from here
          </Button>
        </>
      )}
    </div>
  );
}

function Attempts({ result }: { result: StepResult }) {
  const { shown } = useRunPage();
  const attempts = result.attempt_list ?? [];
  const { undo } = result;
  if (attempts.length === 0) return null;
  return (
    <Section title={count(attempts.length, "attempt")} folds open={attempts.length > 1 || undo !== undefined}>
      <ol>
        {attempts.map((attempt) => (
          <li key={attempt.attempt} className={styles.attempt} data-status={attempt.status}>
            <StatusIcon status={attempt.status} size={14} />
            <div>
              <p>
                {attempt.attempt}. {capital(attempt.status)}
                <span className={styles.when}>
                  <time dateTime={attempt.started_at} title={exactTime(attempt.started_at)}>
                    {clockTime(attempt.started_at)}
                  </time>
                  {attempt.completed_at && `, ${duration(attempt.execution_time)}`}
                </span>
              </p>
              {attempt.error && attempts.length > 1 && (
                <p className={styles.detail}>
                  <LogText text={shown.text(attempt.error.message)} />
                </p>
              )}
              {attempt.memory_bytes !== undefined && attempt.memory_bytes > 0 && (
                <p className={styles.detail}>
                  {duration(attempt.cpu_seconds ?? 0)} of processor time, at most {bytes(attempt.memory_bytes)} of
                  memory
                  {attempt.shared_process && ", in a process with other steps"}
                </p>
              )}
              {attempt.checksum && (
                <p className={styles.detail} title={attempt.checksum}>
                  Plugin <code>{attempt.checksum.slice(0, 12)}</code>
                </p>
              )}
            </div>
          </li>
        ))}
        {undo && (
          <li className={styles.attempt} data-status={undo.status}>
            <StatusIcon status={undo.status} size={14} />
            <div>
              <p>{undo.status === "undone" ? "Undone" : `Undo: ${undo.status}`}</p>
              {undo.error && (
                <p className={styles.detail}>
                  <LogText text={shown.text(undo.error.message)} />
                </p>
              )}
              {undo.undone_by && (
                <p className={styles.detail}>
                  By <Link href={`/executions/${undo.undone_by}`}>another run</Link>
                </p>
              )}
            </div>
          </li>
        )}
      </ol>
    </Section>
  );
}
