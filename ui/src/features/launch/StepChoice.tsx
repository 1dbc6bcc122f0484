import { useQuery } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { handlersQuery } from "../../api/queries";
import type { StepDefinition } from "../../api/types";
import { CheckField } from "../../components/Field";
import { count } from "../../lib/text";
import styles from "./LaunchDialog.module.css";

interface StepChoiceProps {
  steps: readonly StepDefinition[];
  /** Ids of the steps that are left out. */
  skipped: ReadonlySet<string>;
  onChange: (skipped: ReadonlySet<string>) => void;
}

/** Which steps run this time. Automatic ones can't be switched off. */
export function StepChoice({ steps, skipped, onChange }: StepChoiceProps) {
  const { data: handlers = [] } = useQuery(handlersQuery);
  if (steps.length < 2) return null;
  const name = (step: StepDefinition) =>
    step.name || handlers.find(({ path }) => path === step.handler)?.name || step.id;
  const toggle = (id: string, on: boolean) => {
    const next = new Set(skipped);
    if (on) next.delete(id);
    else next.add(id);
    onChange(next);
  };
  return (
    <details className={styles.steps}>
      <summary>
        <ChevronRight aria-hidden="true" />
        Steps
        <span className={styles.stepCount}>
          {skipped.size > 0 ? `${count(skipped.size, "step")} left out` : `all ${steps.length}`}
        </span>
      </summary>
      <div className={styles.stepList}>
        {steps.map((step) => (
          <CheckField
            key={step.id}
            label={name(step)}
            hint={hintOf(step)}
            checked={step.enabled !== false && !skipped.has(step.id)}
            disabled={step.automatic === true || step.enabled === false}
            onChange={(on) => toggle(step.id, on)}
          />
        ))}
      </div>
    </details>
  );
}

function hintOf(step: StepDefinition): string | undefined {
  if (step.enabled === false) return "Switched off in the workflow.";
  if (step.automatic) return "Automatic: it can't be left out.";
  return step.required === false ? "Optional." : undefined;
}
