import { useQuery } from "@tanstack/react-query";
import { accountQuery } from "../../../api/queries";
import { mayApprove } from "../../../api/role";
import type { StepResult } from "../../../api/types";
import { listed } from "../../../lib/text";
import { exactTime, isSet } from "../../../lib/time";
import { ApprovalForm } from "../../approval-form/ApprovalForm";
import { LogText } from "../../run/LogText";
import { useRunPage } from "../context";
import styles from "./StepDetails.module.css";

interface ApprovalProps {
  step: string;
  waiting: NonNullable<StepResult["waiting"]>;
  item: number | undefined;
}

/** What a step asks, and its answer where it is the person's to give. */
export function Approval({ step, waiting, item }: ApprovalProps) {
  const { id, shown } = useRunPage();
  const account = useQuery(accountQuery).data;
  const approvers = waiting.approvers ?? [];
  return (
    <section className={styles.answer} data-status="waiting" aria-label="Approval">
      <h3 className={styles.question}>
        {waiting.message ? <LogText text={shown.text(waiting.message)} /> : "Shall it go on?"}
      </h3>
      {(approvers.length > 0 || isSet(waiting.until) || item !== undefined) && (
        <p className={styles.hint}>
          {item !== undefined && `Item #${item} asks. `}
          {approvers.length > 0 && `To be answered by ${listed(approvers)}. `}
          {isSet(waiting.until) && `At the latest ${exactTime(waiting.until)}.`}
        </p>
      )}
      {mayApprove(waiting, account) && <ApprovalForm execution={id} step={step} item={item} waiting={waiting} />}
    </section>
  );
}
