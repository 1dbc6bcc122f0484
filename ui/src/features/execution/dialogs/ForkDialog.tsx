import { useMutation, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { type ForkOptions, forkExecution, type Parameters, planFork } from "../../../api/actions";
import { keys } from "../../../api/queries";
import type { Json } from "../../../api/types";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Field, fieldStyles } from "../../../components/Field";
import { Select } from "../../../components/Select";
import { Spinner } from "../../../components/Spinner";
import { StatusIcon } from "../../../components/StatusIcon";
import { toast } from "../../../components/toast";
import { count } from "../../../lib/text";
import { firstFailed } from "../../run/steps";
import { useRunPage } from "../context";
import { JsonField, jsonText, parseJson } from "../JsonField";
import { changedValue } from "../model/edits";
import { ConfigEdit } from "./ConfigEdit";
import type { RunDialogProps } from "./Dialogs";
import styles from "./dialogs.module.css";
import { noEdits, ParametersEdit } from "./ParametersEdit";

/** What was written in the place of outputs, as the request has it, and what is wrong with it. */
function readOutputs(texts: Record<string, string>, outputOf: (id: string) => unknown) {
  const outputs: Record<string, Json> = {};
  const mistakes: Record<string, string> = {};
  for (const [id, text] of Object.entries(texts)) {
    const output = parseJson(text);
    if (!output.ok) {
      mistakes[id] = output.message;
      continue;
    }
    const changed = changedValue(outputOf(id), output.value);
    if (changed !== undefined) outputs[id] = changed;
  }
  return { outputs: Object.keys(outputs).length > 0 ? outputs : undefined, mistakes };
}

/** Asks from which step a run is to be forked and with what edited, and shows first what that means. */
export default function ForkDialog({ step, onClose }: RunDialogProps) {
  const { id, run, rows, definition, allowed, refused } = useRunPage();
  const { result } = run;
  const [, go] = useLocation();
  const [from, setFrom] = useState(step ?? firstFailed(rows)?.result.step_id ?? rows[0]?.result.step_id ?? "");
  const [item, setItem] = useState("");
  const [before] = useState((result.parameters ?? {}) as Parameters);
  const [parameters, setParameters] = useState(noEdits);
  const stepDefinition = definition?.steps.find((each) => each.id === from);
  const [config, setConfig] = useState<{ [key: string]: Json }>();
  const [outputs, setOutputs] = useState<Record<string, string>>({});
  const [sure, setSure] = useState(false);

  const read = readOutputs(outputs, (of) => result.step_results[of]?.output);
  const items = result.step_results[from]?.items ?? [];
  const index = item === "" ? undefined : Number(item);
  const wellFormed = parameters.valid && Object.keys(read.mistakes).length === 0;
  const options: ForkOptions = {
    from_step: from,
    item: index,
    parameters: parameters.changed,
    config: changedValue(stepDefinition?.config ?? {}, config),
    outputs: read.outputs,
  };
  const plan = useQuery({
    queryKey: [...keys.execution(id), "fork", options],
    queryFn: () => planFork(id, options),
    enabled: from !== "" && wellFormed,
    placeholderData: (earlier) => earlier,
    retry: false,
  });
  const unsafe = plan.data?.unsafe ?? [];
  const fork = useMutation({
    mutationFn: () => forkExecution(id, options),
    onSuccess: ({ execution_id }) => {
      toast({ kind: "success", title: "The fork has started" });
      onClose();
      go(`/executions/${execution_id}`);
    },
  });
  const ready = wellFormed && plan.isSuccess && !plan.isFetching && (unsafe.length === 0 || sure);

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && !fork.isPending && onClose()}
      title={`Fork “${result.workflow_name}”`}
      description="A new run that goes on from one step, with what came before it kept, and edited where you like."
      width="large"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            busy={fork.isPending}
            aria-disabled={!ready || undefined}
            onClick={() => ready && fork.mutate()}
          >
            {fork.isPending ? "Starting…" : "Start the fork"}
          </Button>
        </>
      }
    >
      <div className={styles.form}>
        <Field label="From the step">
          {(control) => (
            <Select
              {...control}
              value={from}
              onChoose={(next) => {
                setFrom(next);
                setItem("");
                setSure(false);
                setConfig(undefined);
              }}
              choices={rows.map(({ result: each }) => ({
                value: each.step_id,
                label: `${each.step_name} (${each.step_id}): ${each.status}`,
              }))}
            />
          )}
        </Field>
        {items.length > 0 && (
          <Field label="Item" hint="One item alone, or all of them.">
            {(control) => (
              <Select
                {...control}
                value={item}
                onChoose={setItem}
                choices={[
                  { value: "", label: "All items" },
                  ...items.map((each) => ({ value: String(each.index), label: `#${each.index}: ${each.status}` })),
                ]}
              />
            )}
          </Field>
        )}
        {allowed.edit && !refused.edit && (
          <>
            <ParametersEdit definition={definition} before={before} onChange={setParameters} />
            {definition && stepDefinition && (
              <ConfigEdit
                key={from}
                definition={definition}
                step={stepDefinition}
                config={config ?? stepDefinition.config ?? {}}
                onChange={setConfig}
              />
            )}
            <OutputEdits
              kept={plan.data?.kept ?? []}
              outputs={outputs}
              mistakes={read.mistakes}
              onChange={setOutputs}
            />
          </>
        )}
        {plan.isError && <ErrorNotice error={plan.error} doing="This can't be forked so" />}
        {plan.data && !plan.isError && (
          <Plan kept={plan.data.kept} redone={plan.data.redone} unsafe={unsafe} busy={plan.isFetching} />
        )}
        {unsafe.length > 0 && (
          <label className={styles.sure} data-status="interrupted">
            <input type="checkbox" checked={sure} onChange={(event) => setSure(event.target.checked)} />
            <span>
              {count(unsafe.length, "step")} ran before and would do what {unsafe.length === 1 ? "it" : "they"} did a
              second time. I have looked, and it does no harm.
            </span>
          </label>
        )}
        {fork.error && <ErrorNotice error={fork.error} doing="The fork was not started" />}
      </div>
    </Dialog>
  );
}

interface OutputEditsProps {
  kept: readonly string[];
  outputs: Record<string, string>;
  mistakes: Record<string, string>;
  onChange: (outputs: Record<string, string>) => void;
}

/** Lets the outputs of steps that are kept be written anew. */
function OutputEdits({ kept, outputs, mistakes, onChange }: OutputEditsProps) {
  const { run } = useRunPage();
  const nameOf = (id: string) => run.result.step_results[id]?.step_name ?? id;
  const open = kept.filter((id) => outputs[id] === undefined);
  if (kept.length === 0) return null;
  return (
    <details className={styles.more}>
      <summary>Change what earlier steps gave</summary>
      <div>
        {kept
          .filter((id) => outputs[id] !== undefined)
          .map((id) => (
            <JsonField
              key={id}
              label={`Output of ${nameOf(id)}`}
              text={outputs[id]!}
              onChange={(text) => onChange({ ...outputs, [id]: text })}
              error={mistakes[id]}
            />
          ))}
        {open.length > 0 && (
          <select
            className={fieldStyles.control}
            aria-label="Edit the output of a step"
            value=""
            onChange={(event) => {
              const id = event.target.value;
              onChange({ ...outputs, [id]: jsonText(run.result.step_results[id]?.output) });
            }}
          >
            <option value="" disabled>
              Edit the output of…
            </option>
            {open.map((id) => (
              <option key={id} value={id}>
                {nameOf(id)} ({id})
              </option>
            ))}
          </select>
        )}
      </div>
    </details>
  );
}

interface PlanProps {
  kept: readonly string[];
  redone: readonly string[];
  unsafe: readonly string[];
  busy: boolean;
}

/** What a fork keeps, does again, and should not do again. */
function Plan({ kept, redone, unsafe, busy }: PlanProps) {
  const { run } = useRunPage();
  const names = useMemo(
    () => (ids: readonly string[]) => ids.map((id) => ({ id, name: run.result.step_results[id]?.step_name ?? id })),
    [run.result.step_results],
  );
  const groups = [
    { title: "Kept", status: "success", ids: kept },
    { title: "Done again", status: "retrying", ids: redone },
    { title: "Not safe to do again", status: "interrupted", ids: unsafe },
  ];
  return (
    <section className={styles.groups} aria-label="What the fork does" aria-busy={busy || undefined}>
      {groups.map((group) => (
        <div key={group.title} className={styles.group} data-status={group.status}>
          <h3>
            {busy ? <Spinner size={14} /> : <StatusIcon status={group.status} size={14} />}
            {group.title} ({group.ids.length})
          </h3>
          <ul>
            {names(group.ids).map(({ id, name }) => (
              <li key={id}>{name}</li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}
