import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { workflowQuery, workflowsQuery } from "../../../api/queries";
import type { Json, StepDefinition } from "../../../api/types";
import { Field, fieldStyles } from "../../../components/Field";
import { lookOf, useHandlers } from "../../graph/handlers";
import { HandlerIcon } from "../../graph/icons";
import { SchemaForm } from "../../schema-form/SchemaForm";
import { asSchema } from "../../schema-form/schema";
import { useDesignerState } from "../context";
import { useEditingLock } from "../live";
import { renameStep, whyNotRename } from "../model/commands";
import { useStepProblems } from "../problems";
import { AboutStep } from "./AboutStep";
import { AdvancedStep } from "./AdvancedStep";
import { OrderOfStep } from "./OrderOfStep";
import { Section } from "./Section";
import styles from "./settings.module.css";
import { triggerParameters } from "./triggerModel";
import { joined, setStepKey, useEdit, useSuggestions, useVariables } from "./useSettings";

/** All settings of one step. */
export function StepSettings({ id }: { id: string }) {
  const index = useDesignerState((state) => state.document.steps.findIndex((step) => step.id === id));
  const step = useDesignerState((state) => state.document.steps[index]!);
  const handlers = useHandlers();
  const handler = handlers?.get(step.handler);
  const lock = useEditingLock();
  return (
    <>
      <header className={styles.head}>
        <span className={styles.tile}>
          <HandlerIcon name={handler?.icon} />
        </span>
        <div className={styles.titles}>
          <h2>{lookOf(step, handlers).title}</h2>
          <p className={styles.path}>
            {/* Where both do not fit on a line, the dot stays with the id. */}
            {`${step.id}\u00a0·`} {step.handler}
          </p>
        </div>
      </header>
      <div className={styles.body}>
        {handlers && !handler && (
          <p className={styles.warning} role="note">
            No plugin here has the handler “{step.handler}”. The step is kept as it is; it can't be executed until the
            plugin is installed.
          </p>
        )}
        {lock && <p className={styles.warning}>{lock.reason}</p>}
        <Configuration step={step} index={index} />
        <Section title="Name and description" open>
          <Naming step={step} index={index} />
        </Section>
        <OrderOfStep step={step} index={index} />
        <AdvancedStep step={step} index={index} />
        {handler && <AboutStep step={step} handler={handler} />}
      </div>
    </>
  );
}

const unknownSchema = { "x-vwmp-widget": "json" };

/** The schema of a step's config; a child workflow's parameters are fields of their own. */
function useConfigSchema(step: StepDefinition): unknown {
  const schema = useHandlers()?.get(step.handler)?.config_schema ?? unknownSchema;
  const child = step.handler === "flow.workflow" ? step.config?.workflow : undefined;
  const { data: workflows } = useQuery({ ...workflowsQuery, enabled: child !== undefined });
  const known = workflows?.some(({ id }) => id === child) === true;
  const { data: workflow } = useQuery({ ...workflowQuery(String(child)), enabled: known });
  return useMemo(() => {
    if (!known || !workflow?.parameters?.length) return schema;
    const own = asSchema(schema);
    const parameters = { ...triggerParameters(workflow.parameters), title: `Parameters of “${workflow.name}”` };
    return { ...own, properties: { ...own.properties, parameters } };
  }, [schema, known, workflow]);
}

function Configuration({ step, index }: { step: StepDefinition; index: number }) {
  const handlers = useHandlers();
  const problems = useStepProblems(step.id);
  const variables = useVariables(step.id, "config");
  const suggestions = useSuggestions();
  const { edit, locked } = useEdit();
  const schema = useConfigSchema(step);
  if (!handlers) return null;
  return (
    <SchemaForm
      schema={schema}
      value={step.config}
      pointer={`/steps/${index}/config`}
      problems={problems}
      variables={variables}
      suggestions={suggestions}
      disabled={locked}
      onChange={(config, options) =>
        edit(
          setStepKey(step.id, "config", Object.keys(config).length > 0 ? config : undefined),
          joined(options, step.id),
        )
      }
    />
  );
}

function Naming({ step, index }: { step: StepDefinition; index: number }) {
  const handlers = useHandlers();
  const problems = useStepProblems(step.id);
  const { edit, locked } = useEdit();
  const set = (key: string, value: Json | undefined) =>
    edit(setStepKey(step.id, key, value), { join: `${step.id} ${key}` });
  const problem = (key: string) => problems.find(({ pointer }) => pointer === `/steps/${index}/${key}`)?.message;
  return (
    <>
      <Field label="Name" error={problem("name")}>
        {(control) => (
          <input
            {...control}
            className={fieldStyles.control}
            data-pointer={`/steps/${index}/name`}
            value={step.name ?? ""}
            maxLength={200}
            disabled={locked}
            placeholder={lookOf({ ...step, name: undefined }, handlers).title}
            onChange={(event) => set("name", event.target.value || undefined)}
          />
        )}
      </Field>
      <IdField step={step} pointer={`/steps/${index}/id`} error={problem("id")} />
      <Field label="Description" hint="Shown on the step." error={problem("description")}>
        {(control) => (
          <textarea
            {...control}
            className={fieldStyles.control}
            data-pointer={`/steps/${index}/description`}
            rows={2}
            value={step.description ?? ""}
            disabled={locked}
            onChange={(event) => set("description", event.target.value || undefined)}
          />
        )}
      </Field>
    </>
  );
}

/** The id takes effect when the field is left: everything that names the step changes with it. */
function IdField({ step, pointer, error }: { step: StepDefinition; pointer: string; error?: string }) {
  const document = useDesignerState((state) => state.document);
  const { edit, locked } = useEdit();
  const [draft, setDraft] = useState<string>();
  const reason = draft === undefined ? null : whyNotRename(document, step.id, draft);
  const commit = () => {
    if (draft === undefined) return;
    setDraft(undefined);
    if (draft !== step.id && reason === null) edit((now) => renameStep(now, step.id, draft), { select: [draft] });
  };
  return (
    <Field label="Id" hint="References to the step change with it." error={reason ?? error}>
      {(control) => (
        <input
          {...control}
          className={`${fieldStyles.control} ${fieldStyles.mono}`}
          data-pointer={pointer}
          value={draft ?? step.id}
          spellCheck={false}
          autoComplete="off"
          disabled={locked}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={commit}
          onKeyDown={(event) => {
            if (event.key === "Enter" && reason === null) commit();
            if (event.key !== "Escape" || draft === undefined) return;
            event.stopPropagation();
            setDraft(undefined);
          }}
        />
      )}
    </Field>
  );
}
