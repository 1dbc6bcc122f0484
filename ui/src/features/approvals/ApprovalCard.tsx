import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { type FormEvent, type ReactNode, useId, useRef, useState } from "react";
import { Link } from "wouter";
import { type Approval, approveStep } from "../../api/actions";
import { refreshExecutions, type WaitingApproval } from "../../api/queries";
import type { Json, StepPreview } from "../../api/types";
import { Button } from "../../components/Button";
import { Card } from "../../components/Card";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Field, fieldStyles } from "../../components/Field";
import { Ago } from "../../components/Time";
import { toast } from "../../components/toast";
import { isSet } from "../../lib/time";
import { PlanView } from "../launch/PlanView";
import { LogText } from "../run/LogText";
import { shownOf } from "../run/shown";
import { defaultConfig } from "../schema-form/defaults";
import { focusField } from "../schema-form/focus";
import { SchemaForm } from "../schema-form/SchemaForm";
import type { JsonSchema } from "../schema-form/schema";
import { validate } from "../schema-form/validate";
import styles from "./ApprovalsPage.module.css";

// The definitions of what waits are not loaded here.
const shown = shownOf(undefined);

/** Where an approval comes from and until when it may be given. */
function Where({ approval: { execution, step, item, waiting } }: { approval: WaitingApproval }) {
  return (
    <>
      <p className={styles.where}>
        <Link href={`/executions/${execution.execution_id}?step=${encodeURIComponent(step.step_id)}`}>
          {execution.workflow_name}
        </Link>
        , step “{step.step_name || step.step_id}”{item !== undefined && `, item ${item + 1}`}
      </p>
      <p className={styles.times}>
        Asked <Ago time={waiting.since} />
        {isSet(waiting.until) && (
          <>
            , ends <Ago time={waiting.until} />
          </>
        )}
      </p>
    </>
  );
}

/** What the steps after a bound approval would do; an answer is for that and nothing else. */
function Bound({ plan }: { plan: unknown }): ReactNode {
  if (!Array.isArray(plan)) return null;
  return (
    <section className={styles.plan} aria-label="What it is about to do">
      <h3>What it is about to do</h3>
      <PlanView plan={{ steps: plan as StepPreview[], warnings: [] }} />
    </section>
  );
}

/** One approval with its form, a comment and the two answers. */
export function ApprovalCard({ approval }: { approval: WaitingApproval }) {
  const { execution, step, item, waiting } = approval;
  const queries = useQueryClient();
  const title = useId();
  const form = useRef<HTMLFormElement>(null);
  const schema = (waiting.form ?? undefined) as JsonSchema | undefined;
  const [data, setData] = useState<{ [key: string]: Json }>(() => (schema ? defaultConfig(schema) : {}));
  const [comment, setComment] = useState("");
  const [tried, setTried] = useState(false);
  const problems = schema ? validate(schema, data) : [];

  const answer = useMutation({
    mutationFn: (approved: boolean) => {
      const sent: Approval = { approved, item };
      if (comment.trim()) sent.comment = comment.trim();
      if (approved && schema) sent.data = data;
      return approveStep(execution.execution_id, step.step_id, sent);
    },
    onSuccess: (_, approved) => {
      toast({
        title: approved ? "Approved" : "Rejected",
        description: `“${execution.workflow_name}” goes on.`,
        kind: "success",
        action: { label: "View", href: `/executions/${execution.execution_id}` },
      });
    },
    // Whatever came of it, what waits may have changed.
    onSettled: () => void refreshExecutions(queries),
  });
  const approve = (event: FormEvent) => {
    event.preventDefault();
    if (answer.isPending) return;
    setTried(true);
    if (problems.length > 0) {
      focusField(form.current!, problems[0]!.pointer);
      return;
    }
    answer.mutate(true);
  };

  return (
    <Card>
      <article className={styles.card} aria-labelledby={title}>
        <div>
          <h2 id={title} className={styles.message}>
            {waiting.message ? (
              <LogText text={shown.text(waiting.message)} />
            ) : (
              `“${step.step_name || step.step_id}” waits for an answer`
            )}
          </h2>
          <Where approval={approval} />
        </div>
        <Bound plan={waiting.plan} />
        <form ref={form} className={styles.form} onSubmit={approve} noValidate>
          {schema && (
            <SchemaForm
              schema={schema}
              value={data}
              onChange={(next) => setData(next)}
              problems={tried ? problems : []}
              disabled={answer.isPending}
            />
          )}
          <Field label="Comment" hint="Kept with the answer.">
            {(control) => (
              <textarea
                {...control}
                className={fieldStyles.control}
                rows={2}
                value={comment}
                onChange={(event) => setComment(event.target.value)}
              />
            )}
          </Field>
          {answer.error && <ErrorNotice error={answer.error} doing="The answer was not taken" />}
          <div className={styles.actions}>
            <Button kind="primary" type="submit" icon={<Check />} busy={answer.isPending && answer.variables}>
              Approve
            </Button>
            <Button
              icon={<X />}
              busy={answer.isPending && !answer.variables}
              onClick={() => !answer.isPending && answer.mutate(false)}
            >
              Reject
            </Button>
          </div>
        </form>
      </article>
    </Card>
  );
}

/** An approval that somebody else has to give. */
export function OthersApproval({ approval }: { approval: WaitingApproval }) {
  return (
    <li>
      <p>{approval.waiting.message && <LogText text={shown.text(approval.waiting.message)} />}</p>
      <Where approval={approval} />
      <span className={styles.hint}>For {approval.waiting.approvers?.join(", ") || "those who may run it"}</span>
    </li>
  );
}
