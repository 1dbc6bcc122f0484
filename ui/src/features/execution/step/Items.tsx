import { useState } from "react";
import { Link } from "wouter";
import { hasEnded, type StepResult } from "../../../api/types";
import { Button } from "../../../components/Button";
import { StatusPill } from "../../../components/StatusPill";
import { count } from "../../../lib/text";
import { duration, secondsBetween } from "../../../lib/time";
import type { Shown } from "../../run/shown";
import { firstLine, waitText } from "../../run/steps";
import { useRunPage } from "../context";
import { Failure } from "./Failure";
import { Input, Output } from "./Payload";
import styles from "./StepDetails.module.css";

const pageSize = 50;

type Item = NonNullable<StepResult["items"]>[number];

/** The items of a step with for_each; each opens to its own input and output. */
export function Items({ result }: { result: StepResult }) {
  const { shown } = useRunPage();
  const items = result.items ?? [];
  const [failedOnly, setFailedOnly] = useState(false);
  const [limit, setLimit] = useState(pageSize);
  const [open, setOpen] = useState<number>();
  const failed = items.filter(({ status }) => status === "failed").length;
  const listed = failedOnly ? items.filter(({ status }) => status === "failed") : items;
  return (
    <>
      {failed > 0 && failed < items.length && (
        <div className={styles.filter}>
          <Button size="small" aria-pressed={failedOnly} onClick={() => setFailedOnly(!failedOnly)}>
            {failedOnly ? "Show all" : `Only failed (${failed})`}
          </Button>
        </div>
      )}
      <ul className={styles.items}>
        {listed.slice(0, limit).map((item) => (
          <li key={item.index}>
            <button
              type="button"
              className={styles.item}
              aria-expanded={open === item.index}
              onClick={() => setOpen(open === item.index ? undefined : item.index)}
            >
              <span>#{item.index}</span>
              <span>
                <StatusPill status={item.status} size="small" />
              </span>
              <span className={styles.itemNote}>{noteOf(item, shown)}</span>
            </button>
            {open === item.index && <ItemBody step={result.step_id} item={item} />}
          </li>
        ))}
      </ul>
      {listed.length > limit && (
        <Button size="small" onClick={() => setLimit(limit + pageSize)}>
          Show more of {count(listed.length - limit, "item")}
        </Button>
      )}
    </>
  );
}

function noteOf(item: Item, shown: Shown): string {
  if (item.error) return shown.note(firstLine(item.error.message));
  if (item.waiting) return shown.note(waitText(item.waiting));
  if (item.skip_reason) return shown.note(item.skip_reason);
  const took = item.started_at && item.completed_at ? duration(secondsBetween(item.started_at, item.completed_at)) : "";
  return [took, item.attempts > 1 && count(item.attempts, "attempt")].filter(Boolean).join(" · ");
}

function ItemBody({ step, item }: { step: string; item: Item }) {
  return (
    <div className={styles.itemBody}>
      {item.error && <Failure error={item.error} />}
      {item.child_execution_id && (
        <p className={styles.links}>
          <Link href={`/executions/${item.child_execution_id}`}>Open the run that it started</Link>
        </p>
      )}
      <Input step={step} item={item.index} />
      <Output step={step} item={item.index} output={item.output} ended={hasEnded(item.status)} />
    </div>
  );
}
