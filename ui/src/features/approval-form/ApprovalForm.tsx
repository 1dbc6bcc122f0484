import { useMutation } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { type Approval, approveStep } from "../../api/actions";
import type { Json, StepPreview, StepResult } from "../../api/types";
import { Button } from "../../components/Button";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Field, fieldStyles } from "../../components/Field";
import { PlanView } from "../launch/PlanView";
import { defaultConfig } from "../schema-form/defaults";
import { focusField } from "../schema-form/focus";
import { SchemaForm } from "../schema-form/SchemaForm";
import type { JsonSchema } from "../schema-form/schema";
import { validate } from "../schema-form/validate";
import styles from "./ApprovalForm.module.css";

export interface ApprovalFormProps {
  execution: string;
  step: string;
  /** The item of a for_each that asks, where it is one. */
  item?: number;
  waiting: NonNullable<StepResult["waiting"]>;
  onAnswered?: (approved: boolean) => void;
  /** Whatever came of it: what waits may have changed. */
  onSettled?: () => unknown;
}

/** Answers an approval: yes with what its form asks for, or no; either with a comment. */
export function ApprovalForm({ execution, step, item, waiting, onAnswered, onSettled }: ApprovalFormProps) {
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
      return approveStep(execution, step, sent);
    },
    onSuccess: (_, approved) => onAnswered?.(approved),
    onSettled,
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
    <>
      {Array.isArray(waiting.plan) && (
        <section className={styles.plan} aria-label="What it is about to do">
          <h3>What it is about to do</h3>
          <PlanView plan={{ steps: waiting.plan as StepPreview[], warnings: [] }} />
        </section>
      )}
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
              maxLength={10_000}
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
    </>
  );
}
