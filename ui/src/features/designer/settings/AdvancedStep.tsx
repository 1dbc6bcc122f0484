import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp } from "lucide-react";
import type { Json, StepDefinition } from "../../../api/types";
import { IconButton } from "../../../components/Button";
import { CheckField, Field, FieldGroup, fieldStyles } from "../../../components/Field";
import { grid } from "../../graph/geometry";
import { useHandlers } from "../../graph/handlers";
import { SchemaField } from "../../schema-form/SchemaField";
import { FormScope } from "../../schema-form/SchemaForm";
import type { JsonSchema } from "../../schema-form/schema";
import { useCommands } from "../commands";
import { useStepProblems } from "../problems";
import { Section } from "./Section";
import styles from "./settings.module.css";
import { duration, onInterrupt, retry } from "./stepSchema";
import { joined, setStepKey, unlessDefault, useEdit, useVariables } from "./useSettings";

const enabledSchema: JsonSchema = {
  type: "boolean",
  title: "Switched on",
  default: true,
  description: "Off: the step is skipped, and what comes after it runs.",
};

const timeoutSchema = duration("Timeout", "Of one attempt. A number of seconds, or text such as 90s.", "5m");

/** What a step seldom needs: limits, repetition, what failures mean. */
export function AdvancedStep({ step, index }: { step: StepDefinition; index: number }) {
  const problems = useStepProblems(step.id);
  const handlers = useHandlers();
  const { edit, locked } = useEdit();
  const pointer = `/steps/${index}`;
  const enabledVariables = useVariables(step.id, "enabled");
  const set = (key: string, value: Json | undefined) => edit(setStepKey(step.id, key, value));
  const field = (key: string, schema: JsonSchema, clean: (value: Json | undefined) => Json | undefined) => (
    <SchemaField
      schema={schema}
      label={schema.title!}
      pointer={`${pointer}/${key}`}
      value={step[key] as Json | undefined}
      onChange={(value, options) => edit(setStepKey(step.id, key, clean(value)), joined(options, step.id))}
    />
  );
  return (
    <Section title="Advanced" note={noteOf(step)}>
      <FormScope problems={problems} disabled={locked} variables={enabledVariables}>
        {field("enabled", enabledSchema, (value) => unlessDefault(value, true))}
      </FormScope>
      <CheckField
        label="Continue on failure"
        hint="The step is optional: where it fails, what comes after it runs, and the execution is a partial success."
        checked={step.required === false}
        disabled={locked}
        pointer={`${pointer}/required`}
        onChange={(on) => set("required", on ? false : undefined)}
      />
      <CheckField
        label="Can't be left out"
        hint="The form that starts the workflow offers no way to leave this step out."
        checked={step.automatic === true}
        disabled={locked}
        pointer={`${pointer}/automatic`}
        onChange={(on) => set("automatic", on || undefined)}
      />
      <FormScope problems={problems} disabled={locked}>
        {field("timeout", timeoutSchema, (value) => value)}
        {field("retry", retry, (value) => value)}
        {field("on_interrupt", onInterrupt(handlers?.get(step.handler)?.effect_class), (value) =>
          unlessDefault(value, "ask"),
        )}
      </FormScope>
      <ForEach step={step} pointer={pointer} />
      <Move step={step} locked={locked} />
    </Section>
  );
}

const directions = [
  { label: "Move left", icon: <ArrowLeft />, by: { x: -grid, y: 0 } },
  { label: "Move up", icon: <ArrowUp />, by: { x: 0, y: -grid } },
  { label: "Move down", icon: <ArrowDown />, by: { x: 0, y: grid } },
  { label: "Move right", icon: <ArrowRight />, by: { x: grid, y: 0 } },
];

/** Moves a step for whoever can neither drag it nor press Alt and an arrow. */
function Move({ step, locked }: { step: StepDefinition; locked: boolean }) {
  const commands = useCommands();
  return (
    <FieldGroup label="Place on the canvas">
      <div className={styles.moves}>
        {directions.map(({ label, icon, by }) => (
          <IconButton
            key={label}
            label={label}
            icon={icon}
            bordered
            disabled={locked}
            onClick={() => commands.move(new Set([step.id]), by, `buttons ${step.id}`)}
          />
        ))}
      </div>
    </FieldGroup>
  );
}

function noteOf(step: StepDefinition): string | undefined {
  const notes = [
    step.enabled === false && "off",
    step.required === false && "optional",
    step.for_each !== undefined && "for each item",
    step.retry?.max_attempts !== undefined && `${step.retry.max_attempts} attempts`,
  ];
  return notes.filter(Boolean).join(", ") || undefined;
}

const forEachText: JsonSchema = {
  type: "string",
  title: "List",
  description: "A variable that holds a list. In the configuration ${item} is the item, ${index} its number.",
  examples: ["${parameters.files}"],
};
const forEachItems: JsonSchema = { "x-vwmp-widget": "json", title: "List", description: "The items." };
const maxParallel: JsonSchema = {
  type: "integer",
  title: "At the same time",
  description: "How many items are worked on at once.",
  default: 10,
  minimum: 1,
  maximum: 1000,
};

function ForEach({ step, pointer }: { step: StepDefinition; pointer: string }) {
  const problems = useStepProblems(step.id);
  const variables = useVariables(step.id, "for_each");
  const { edit, locked } = useEdit();
  const kind = step.for_each === undefined ? "none" : Array.isArray(step.for_each) ? "list" : "variable";
  const change = (next: string) => {
    const start: { [kind: string]: Json | undefined } = { none: undefined, list: [], variable: "${parameters.}" };
    edit((document) => {
      const changed = setStepKey(step.id, "for_each", start[next])(document);
      return next === "none" ? setStepKey(step.id, "max_parallel", undefined)(changed) : changed;
    });
  };
  return (
    <FormScope problems={problems} disabled={locked} variables={variables}>
      <Field label="Run for each item" hint={kind === "none" ? "Once for each item of a list." : undefined}>
        {(control) => (
          <select
            {...control}
            className={fieldStyles.control}
            value={kind}
            disabled={locked}
            onChange={(event) => change(event.target.value)}
          >
            <option value="none">No, run once</option>
            <option value="variable">Of a list that a variable holds</option>
            <option value="list">Of a list that is written here</option>
          </select>
        )}
      </Field>
      {kind !== "none" && (
        <>
          <SchemaField
            schema={kind === "list" ? forEachItems : forEachText}
            label="List"
            pointer={`${pointer}/for_each`}
            value={step.for_each}
            onChange={(value, options) =>
              edit(setStepKey(step.id, "for_each", value ?? (kind === "list" ? [] : "")), joined(options, step.id))
            }
          />
          <SchemaField
            schema={maxParallel}
            label="At the same time"
            pointer={`${pointer}/max_parallel`}
            value={step.max_parallel}
            onChange={(value, options) => edit(setStepKey(step.id, "max_parallel", value), joined(options, step.id))}
          />
        </>
      )}
    </FormScope>
  );
}
