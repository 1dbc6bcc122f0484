import { useMutation } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { useRef, useState } from "react";
import { approveStep } from "../../../api/actions";
import { ApiError } from "../../../api/client";
import type { StepResult } from "../../../api/types";
import { Button } from "../../../components/Button";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Field, fieldStyles } from "../../../components/Field";
import { listed } from "../../../lib/text";
import { exactTime, isSet } from "../../../lib/time";
import { useRunPage } from "../context";
import { JsonField, parseJson } from "../JsonField";
import styles from "./StepDetails.module.css";

interface ApprovalFormProps {
  step: string;
  waiting: NonNullable<StepResult["waiting"]>;
  item: number | undefined;
}

/** Answers an approval: yes with what the form asks for, or no with a reason. */
export function ApprovalForm({ step, waiting, item }: ApprovalFormProps) {
  const { id } = useRunPage();
  const [comment, setComment] = useState("");
  const [data, setData] = useState("");
  const [mistake, setMistake] = useState("");
  const form = useRef<HTMLDivElement>(null);
  const asksMore = waiting.form !== undefined && waiting.form !== null;
  const answer = useMutation({
    mutationFn: ({ approved, value }: { approved: boolean; value?: unknown }) =>
      approveStep(id, step, { approved, comment: comment || undefined, data: value, item }),
  });

  const send = (approved: boolean) => {
    const parsed = parseJson(data, true);
    setMistake("");
    if (approved && !parsed.ok) {
      setMistake(parsed.message);
      form.current?.querySelector("textarea")?.focus();
      return;
    }
    answer.mutate({ approved, value: approved && parsed.ok ? parsed.value : undefined });
  };
  const refused = answer.error instanceof ApiError ? answer.error.items.map(({ message }) => message).join(" ") : "";

  return (
    <section className={styles.answer} data-status="waiting" aria-label="Approval">
      <h3 className={styles.question}>{waiting.message || "Shall it go on?"}</h3>
      <p className={styles.hint}>
        {waiting.approvers && waiting.approvers.length > 0 && `To be answered by ${listed(waiting.approvers)}. `}
        {isSet(waiting.until) && `At the latest ${exactTime(waiting.until)}.`}
      </p>
      <Planned plan={waiting.plan} />
      {asksMore && (
        <div ref={form}>
          <JsonField
            label="Your answer"
            hint="An object with what is asked for."
            text={data}
            onChange={setData}
            error={mistake || refused}
          />
        </div>
      )}
      <Field label="Comment">
        {(control) => (
          <textarea
            {...control}
            className={fieldStyles.control}
            rows={2}
            maxLength={10_000}
            value={comment}
            onChange={(event) => setComment(event.target.value)}
          />
        )}
      </Field>
      {answer.error && <ErrorNotice error={answer.error} doing="The answer was not taken" />}
      <div className={styles.buttons}>
        <Button kind="primary" icon={<Check />} busy={answer.isPending} onClick={() => send(true)}>
          Approve
        </Button>
        <Button icon={<X />} busy={answer.isPending} onClick={() => send(false)}>
          Reject
        </Button>
      </div>
    </section>
  );
}

interface PlannedStep {
  step_id: string;
  step_name?: string;
  effects?: { summary?: string; action?: string; target?: string }[];
}

/** What the steps after a bound approval would do. */
function Planned({ plan }: { plan: unknown }) {
  const steps = Array.isArray(plan) ? (plan as PlannedStep[]).filter(({ effects }) => effects?.length) : [];
  if (steps.length === 0) return null;
  return (
    <div>
      <p className={styles.hint}>What it would lead to; the answer is for that and nothing else:</p>
      <ul className={styles.plan}>
        {steps.flatMap((step) =>
          (step.effects ?? []).map((effect) => {
            const text = effect.summary || `${effect.action} ${effect.target}`;
            return (
              <li key={`${step.step_id} ${effect.action} ${effect.target} ${text}`}>
                {step.step_name || step.step_id}: {text}
              </li>
            );
          }),
        )}
      </ul>
    </div>
  );
}
