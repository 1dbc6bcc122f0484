import { ChevronDown, ChevronRight } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { Link } from "wouter";
import type { AuditRecord } from "../../api/accounts";
import { Badge } from "../../components/Badge";
import { IconButton } from "../../components/Button";
import { CopyButton } from "../../components/CopyButton";
import { Cell, RowActions } from "../../components/Table";
import { Ago } from "../../components/Time";
import { capital } from "../../lib/text";
import { exactTime } from "../../lib/time";
import styles from "./AuditPage.module.css";
import { actionText, objectHref, resultTones, wayText } from "./words";

function ObjectLink({ object }: { object: string }) {
  const href = objectHref(object);
  return href ? <Link href={href}>{object}</Link> : object || "–";
}

function Details({ record }: { record: AuditRecord }) {
  const facts: [string, ReactNode][] = [
    ["When", exactTime(record.time)],
    ["Who", record.who ? `${record.who}, ${record.role}, ${wayText(record.way)}` : "Nobody who was let in"],
    ["From", record.address || "–"],
    ["Action", <code key="action">{record.action}</code>],
    ["On", record.object || "–"],
    ["Result", record.status ? `${capital(record.result)}, status ${record.status}` : capital(record.result)],
  ];
  if (record.detail) facts.push(["Detail", record.detail]);
  if (record.request_id) {
    facts.push([
      "Request",
      <span key="request" className={styles.copied}>
        <code>{record.request_id}</code>
        <CopyButton iconOnly label="Copy the request id" text={record.request_id} />
      </span>,
    ]);
  }
  facts.push(
    ["Record", new Intl.NumberFormat().format(record.seq)],
    ["Its hash", <code key="hash">{record.hash}</code>],
    ["The one before", <code key="prev">{record.prev || "–"}</code>],
  );
  return (
    <dl className={styles.details}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What somebody did, and on request all that is known of it. */
export function AuditRow({ record, columns }: { record: AuditRecord; columns: number }) {
  const [open, setOpen] = useState(false);
  const details = useId();
  return (
    <>
      <tr>
        <Cell className={styles.when}>
          <Ago time={record.time} />
        </Cell>
        <Cell label="Who" className={styles.who}>
          {record.who || <span className={styles.nobody}>Nobody</span>}
        </Cell>
        <Cell label="What" className={styles.what}>
          {actionText(record.action)}
          {record.detail && <span className={styles.hint}>{record.detail}</span>}
        </Cell>
        <Cell label="On" className={styles.object}>
          <ObjectLink object={record.object ?? ""} />
        </Cell>
        <Cell label="Result">
          <Badge tone={resultTones[record.result as keyof typeof resultTones]}>{capital(record.result)}</Badge>
        </Cell>
        <Cell label="From">{record.address || "–"}</Cell>
        <Cell shrink>
          <RowActions>
            <IconButton
              label={`Details of record ${record.seq}`}
              icon={open ? <ChevronDown /> : <ChevronRight />}
              aria-expanded={open}
              aria-controls={open ? details : undefined}
              onClick={() => setOpen(!open)}
            />
          </RowActions>
        </Cell>
      </tr>
      {open && (
        <tr id={details} className={styles.open}>
          <td colSpan={columns}>
            <Details record={record} />
          </td>
        </tr>
      )}
    </>
  );
}
