import { useQuery } from "@tanstack/react-query";
import { SquarePen } from "lucide-react";
import { type ReactNode, useSyncExternalStore } from "react";
import { Link } from "wouter";
import { useMay } from "../../api/role";
import { hasEnded } from "../../api/types";
import { Button, LinkButton } from "../../components/Button";
import { ErrorNotice } from "../../components/ErrorNotice";
import { StatusIcon } from "../../components/StatusIcon";
import { Ago } from "../../components/Time";
import { capital } from "../../lib/text";
import { LogText } from "../run/LogText";
import { firstFailed, firstLine, type StepRow, waitingRows } from "../run/steps";
import { useRunPage } from "./context";
import styles from "./ExecutionPage.module.css";
import { explainQuery } from "./explain";
import { designerHref } from "./links";

interface BannerProps {
  status: string;
  title: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
}

function Banner({ status, title, children, actions }: BannerProps) {
  return (
    <section className={styles.banner} data-status={status}>
      <StatusIcon status={status} size={18} />
      <div className={styles.bannerText}>
        <p className={styles.bannerTitle}>{title}</p>
        {children}
        {actions && <div className={styles.bannerActions}>{actions}</div>}
      </div>
    </section>
  );
}

function FailedBanner({ row }: { row: StepRow | undefined }) {
  const { run, select, ask, allowed, refused, shown } = useRunPage();
  const mayEdit = useMay("edit");
  const { result } = run;
  const message = row?.result.error?.message ?? result.error?.message;
  return (
    <Banner
      status="failed"
      title={row ? `It failed at the step “${row.result.step_name}”` : "It failed"}
      actions={
        row && (
          <>
            <Button size="small" onClick={() => select(row.result.step_id)}>
              Show the step
            </Button>
            <LinkButton size="small" icon={<SquarePen />} href={designerHref(result.workflow_id, row.result.step_id)}>
              {mayEdit ? "Edit it in the designer" : "Show it in the designer"}
            </LinkButton>
            {allowed.repeat && (
              <Button size="small" why={refused.repeat} onClick={() => ask("retry", row.result.step_id)}>
                Retry from here
              </Button>
            )}
          </>
        )
      }
    >
      {message && (
        <p>
          <LogText text={shown.text(firstLine(message))} />
        </p>
      )}
      {result.status_reason && <p>{capital(result.status_reason)}.</p>}
    </Banner>
  );
}

function WaitingBanner({ row }: { row: StepRow }) {
  const { select, allowed, refused, shown } = useRunPage();
  const { result } = row;
  const lost = result.status === "interrupted" || result.items?.some(({ status }) => status === "interrupted");
  const waiting = result.waiting ?? result.items?.find(({ status }) => status === "waiting")?.waiting;
  const verb = lost ? "Decide" : waiting?.reason === "signal" ? "Send the signal" : "Answer";
  return (
    <Banner
      status={lost ? "interrupted" : "waiting"}
      title={
        lost
          ? `Nobody knows how the step “${result.step_name}” ended`
          : waiting?.reason === "signal"
            ? `The step “${result.step_name}” waits for the signal “${waiting.signal}”`
            : `The step “${result.step_name}” waits for an approval`
      }
      actions={
        allowed.answer && (
          <Button size="small" kind="primary" why={refused.answer} onClick={() => select(result.step_id)}>
            {verb}
          </Button>
        )
      }
    >
      {lost
        ? result.error && <p>{shown.note(result.error.message)}</p>
        : waiting?.message && <p>{shown.note(firstLine(waiting.message))}</p>}
      {waiting && (
        <p>
          Since <Ago time={waiting.since} />
        </p>
      )}
    </Banner>
  );
}

/** What is said once the server tells no more of it. */
function RefusedBanner() {
  const { live } = useRunPage();
  const refusal = useSyncExternalStore(live.subscribe, live.refusal);
  if (!refusal) return null;
  return (
    <Banner
      status="interrupted"
      title="This page is no longer live"
      actions={
        <Button size="small" onClick={() => globalThis.location.reload()}>
          Reload
        </Button>
      }
    >
      <p>{refusal}</p>
    </Banner>
  );
}

function QueuedBanner() {
  const { id, run } = useRunPage();
  const slot = useQuery(explainQuery(id, run.stateSeq)).data?.slot;
  return (
    <Banner status="queued" title="It waits for its turn">
      <p>{capital(run.result.status_reason ?? "another run has to end first")}.</p>
      {slot && (
        <>
          <p>
            At most {slot.limit} at once{slot.key && ` for “${slot.key}”`}; this one is number {slot.place} in the
            queue. Now there {slot.holders?.length === 1 ? "is" : "are"}:
          </p>
          <ul className={styles.holders}>
            {slot.holders?.map((holder) => (
              <li key={holder.execution_id}>
                <Link href={`/executions/${holder.execution_id}`}>{holder.workflow_name}</Link>, since{" "}
                <Ago time={holder.since} />
              </li>
            ))}
          </ul>
        </>
      )}
    </Banner>
  );
}

/** What a person should know of a run before its details, and what it asks of them. */
export function Banners({ definitionError }: { definitionError: unknown }) {
  const { run, rows, shown } = useRunPage();
  const { result } = run;
  const ended = hasEnded(result.status);
  return (
    <div className={styles.banners}>
      <RefusedBanner />
      {result.status === "failed" && <FailedBanner row={firstFailed(rows)} />}
      {ended && result.status !== "failed" && result.error && (
        <Banner status={result.status} title={capital(shown.note(result.error.message))} />
      )}
      {ended && result.status !== "failed" && result.status_reason && (
        <Banner status={result.status} title={`${capital(result.status_reason)}.`} />
      )}
      {result.status === "queued" && <QueuedBanner />}
      {result.status === "paused" && (
        <Banner status="paused" title={`${capital(result.status_reason ?? "paused")}.`}>
          <p>What runs goes on to its end; nothing more starts until it is resumed.</p>
        </Banner>
      )}
      {!ended && waitingRows(rows).map((row) => <WaitingBanner key={row.result.step_id} row={row} />)}
      {definitionError !== undefined && (
        <ErrorNotice error={definitionError} doing="The definition of this run could not be loaded" />
      )}
    </div>
  );
}
