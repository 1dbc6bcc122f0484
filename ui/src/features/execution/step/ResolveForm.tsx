import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { resolveStep } from "../../../api/actions";
import { announce } from "../../../components/announce";
import { Button } from "../../../components/Button";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { count } from "../../../lib/text";
import { useRunPage } from "../context";
import { JsonField, parseJson } from "../JsonField";
import styles from "./StepDetails.module.css";

const verdicts = [
  ["retry", "Run it again", "Only where doing it twice does no harm."],
  ["success", "It succeeded", "The run goes on; you may give its output."],
  ["failed", "It failed", "The run goes on as after any failure."],
  ["skipped", "Skip it", "The run goes on as if it had been switched off."],
] as const;

type Verdict = (typeof verdicts)[number][0];

interface ResolveFormProps {
  step: string;
  reason: string | undefined;
  /** How many items of the step were interrupted; 0 for the step itself. */
  items: number;
}

/** Decides what became of a step whose end nobody saw. */
export function ResolveForm({ step, reason, items }: ResolveFormProps) {
  const { id } = useRunPage();
  const [as, setAs] = useState<Verdict>();
  const [output, setOutput] = useState("");
  const [mistake, setMistake] = useState("");
  const resolve = useMutation({
    mutationFn: ({ verdict, value }: { verdict: Verdict; value?: unknown }) =>
      resolveStep(id, step, { as: verdict, ...(value !== undefined && { output: value }) }),
  });
  const send = () => {
    const parsed = parseJson(as === "success" ? output : "");
    const wrong = parsed.ok ? (as ? "" : "Choose what became of it.") : parsed.message;
    setMistake(wrong);
    announce(wrong, "assertive");
    if (as && parsed.ok) resolve.mutate({ verdict: as, value: parsed.value });
  };
  return (
    <section className={styles.answer} data-status="interrupted" aria-label="Decision">
      <h3 className={styles.question}>What became of it?</h3>
      {reason && <p className={styles.hint}>{reason}. Look at what it was to change, then decide.</p>}
      {items > 1 && (
        <p className={styles.hint}>The decision is for all {count(items, "item")} that were interrupted.</p>
      )}
      <fieldset className={styles.choices} aria-describedby={mistake && as === undefined ? "verdict-error" : undefined}>
        <legend>Your decision</legend>
        {verdicts.map(([value, label, hint]) => (
          <label key={value}>
            <input
              type="radio"
              name="verdict"
              value={value}
              checked={as === value}
              onChange={() => {
                setAs(value);
                setMistake("");
              }}
            />
            <span>
              {label}
              <span className={styles.hint}> {hint}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {as === "success" && (
        <JsonField
          label="Output"
          hint="What later steps may refer to."
          text={output}
          onChange={setOutput}
          error={mistake}
        />
      )}
      {mistake && as === undefined && (
        <p className={styles.mistake} id="verdict-error">
          {mistake}
        </p>
      )}
      {resolve.error && <ErrorNotice error={resolve.error} doing="The decision was not taken" />}
      <div className={styles.buttons}>
        <Button kind="primary" busy={resolve.isPending} onClick={send}>
          Decide
        </Button>
      </div>
    </section>
  );
}
