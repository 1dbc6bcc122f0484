import { Braces, X } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import type { StepDefinition } from "../../../api/types";
import { IconButton } from "../../../components/Button";
import { Field, FieldGroup, fieldStyles } from "../../../components/Field";
import { count } from "../../../lib/text";
import { lookOf, useHandlers } from "../../graph/handlers";
import { downstreamOf } from "../../graph/order";
import { SchemaField } from "../../schema-form/SchemaField";
import { FormScope } from "../../schema-form/SchemaForm";
import { VariableBrowser } from "../../schema-form/VariableBrowser";
import { typeInto } from "../../schema-form/VariableInput";
import type { Variable } from "../../schema-form/variables";
import { useDesignerState } from "../context";
import { connect, disconnect } from "../model/commands";
import { useStepProblems } from "../problems";
import { Section } from "./Section";
import styles from "./settings.module.css";
import { runOn } from "./stepSchema";
import { setStepKey, unlessDefault, useEdit, useVariables } from "./useSettings";

interface PartProps {
  step: StepDefinition;
  index: number;
}

/** What a step waits for, and whether it then runs. */
export function OrderOfStep({ step, index }: PartProps) {
  const problems = useStepProblems(step.id);
  const { edit, locked } = useEdit();
  const dependencies = step.dependencies?.length ?? 0;
  const pointer = `/steps/${index}`;
  return (
    <Section title="When it runs" note={dependencies > 0 ? `after ${count(dependencies, "step")}` : "first"} open>
      <FormScope problems={problems} disabled={locked}>
        <Dependencies step={step} pointer={`${pointer}/dependencies`} />
        <SchemaField
          schema={runOn}
          label="Run"
          pointer={`${pointer}/run_on`}
          value={step.run_on}
          onChange={(value) => edit(setStepKey(step.id, "run_on", unlessDefault(value, "success")))}
        />
        <Condition step={step} pointer={`${pointer}/when`} />
      </FormScope>
    </Section>
  );
}

function Dependencies({ step, pointer }: { step: StepDefinition; pointer: string }) {
  const steps = useDesignerState((state) => state.document.steps);
  const handlers = useHandlers();
  const problems = useStepProblems(step.id);
  const { edit, locked } = useEdit();
  const select = useRef<HTMLSelectElement>(null);
  const own = step.dependencies ?? [];
  const others = useMemo(() => {
    const after = downstreamOf(steps, step.id);
    return steps.filter(({ id }) => id !== step.id && !after.has(id) && !step.dependencies?.includes(id));
  }, [steps, step]);
  const name = (id: string) => {
    const other = steps.find((each) => each.id === id);
    return other ? lookOf(other, handlers).title : "Unknown step";
  };
  return (
    <FieldGroup label="Waits for" pointer={pointer}>
      {own.length > 0 && (
        <ul className={styles.chips}>
          {own.map((id, at) => {
            const problem = problems.find((each) => each.pointer === `${pointer}/${at}`);
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: an id may stand twice by mistake.
              <li key={`${id} ${at}`} className={styles.chip} data-wrong={problem ? "" : undefined}>
                <span className={styles.chipText}>
                  {name(id)} <code>{id}</code>
                  {problem && <span className={fieldStyles.error}>{problem.message}</span>}
                </span>
                <IconButton
                  size="small"
                  label={`Don't wait for ${id}`}
                  icon={<X />}
                  disabled={locked}
                  data-pointer={`${pointer}/${at}`}
                  onClick={() => {
                    edit((document) => disconnect(document, id, step.id));
                    select.current?.focus();
                  }}
                />
              </li>
            );
          })}
        </ul>
      )}
      <select
        ref={select}
        className={fieldStyles.control}
        aria-label="Add a step to wait for"
        value=""
        disabled={locked || others.length === 0}
        onChange={(event) => edit((document) => connect(document, event.target.value, step.id))}
      >
        <option value="">{others.length === 0 ? "No other step comes before it" : "Add a step to wait for…"}</option>
        {others.map((other) => (
          <option key={other.id} value={other.id}>
            {lookOf(other, handlers).title} ({other.id})
          </option>
        ))}
      </select>
    </FieldGroup>
  );
}

/** What a condition may name: the same values by their names in the language of conditions. */
function expressionNames(variables: readonly Variable[], upstream: readonly StepDefinition[]): Variable[] {
  const values = variables
    .filter(({ path, secret }) => !secret && !/^(step-outputs|workspace|item|index)/.test(path))
    .map((variable) => ({ ...variable, path: variable.path }));
  const outputs = variables
    .filter(({ path }) => path.startsWith("step-outputs"))
    .map((variable) => ({
      ...variable,
      path: variable.path.replace(
        /^step-outputs(?:\.([\w-]+)|\[("[^"]*")\])/,
        (_, id, quoted) => `steps[${quoted ?? JSON.stringify(id)}].output`,
      ),
    }));
  const ends = upstream.map((step) => ({
    path: `steps[${JSON.stringify(step.id)}].status`,
    type: "text",
    description: "How it ended: success, failed, skipped or cancelled.",
    group: "How steps ended",
  }));
  return [...values, ...ends, ...outputs];
}

function Condition({ step, pointer }: { step: StepDefinition; pointer: string }) {
  const steps = useDesignerState((state) => state.document.steps);
  const variables = useVariables(step.id, "enabled");
  const problems = useStepProblems(step.id);
  const { edit, locked } = useEdit();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const names = useMemo(() => {
    const ids = new Set(
      variables.flatMap(({ path }) => /^step-outputs(?:\.([\w-]+)|\["([^"]*)"\])$/.exec(path)?.slice(1) ?? []),
    );
    return expressionNames(
      variables,
      steps.filter(({ id }) => ids.has(id)),
    );
  }, [variables, steps]);
  const set = (text: string) =>
    edit(setStepKey(step.id, "when", text === "" ? undefined : text), { join: `${step.id} when` });
  const insert = (reference: string) => {
    const at = box.current;
    if (at) typeInto(at, reference.slice(2, -1), at.selectionStart, at.selectionEnd, set);
  };
  return (
    <>
      <Field
        label="Only if"
        hint={
          'A condition, such as parameters.publish and steps["test"].status == "success". Where it is false the step is skipped.'
        }
        error={problems.find((problem) => problem.pointer === pointer)?.message}
        aside={
          <IconButton
            size="tiny"
            label="Insert a name into the condition"
            icon={<Braces />}
            disabled={locked}
            onClick={() => setOpen(true)}
          />
        }
      >
        {(control) => (
          <textarea
            {...control}
            ref={box}
            className={`${fieldStyles.control} ${fieldStyles.mono}`}
            data-pointer={pointer}
            rows={2}
            spellCheck={false}
            disabled={locked}
            value={step.when === undefined ? "" : String(step.when)}
            onChange={(event) => set(event.target.value)}
          />
        )}
      </Field>
      <VariableBrowser open={open} onOpenChange={setOpen} variables={names} returnTo={box} onPick={insert} />
    </>
  );
}
