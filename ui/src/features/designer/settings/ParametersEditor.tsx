import { ArrowDown, ArrowUp, ChevronRight, Plus, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Parameter, ParameterType } from "../../../api/types";
import { Button, IconButton } from "../../../components/Button";
import { Field, fieldStyles } from "../../../components/Field";
import { SchemaForm } from "../../schema-form/SchemaForm";
import { useDesignerState } from "../context";
import { useProblems } from "../problems";
import {
  asForm,
  freshName,
  fromForm,
  parameterSchema,
  renameParameter,
  typeNames,
  whyNotName,
  withType,
} from "./parameterModel";
import styles from "./settings.module.css";
import { joined, setKey, useEdit } from "./useSettings";

const none: Parameter[] = [];

function useParameters() {
  const parameters = useDesignerState((state) => state.document.parameters) ?? none;
  const { edit, locked } = useEdit();
  /** Replaces the list; an empty one is taken out. */
  const set = (next: Parameter[], options?: { join?: string }) =>
    edit(setKey("parameters", next.length > 0 ? (next as never) : undefined), options);
  return { parameters, edit, set, locked };
}

/** What an execution is asked for. */
export function ParametersEditor() {
  const { parameters, set, locked } = useParameters();
  const list = useRef<HTMLDivElement>(null);
  const target = useRef<{ at: number; part: "name" | "summary" }>(undefined);
  useEffect(() => {
    const to = target.current;
    target.current = undefined;
    if (!to) return;
    const card = list.current?.children[to.at];
    if (to.part === "name" && card instanceof HTMLDetailsElement) card.open = true;
    const part = to.part === "name" ? card?.querySelector("input") : card?.querySelector("summary");
    if (part instanceof HTMLInputElement) part.select();
    (part ?? list.current?.querySelector("button"))?.focus();
  });
  const move = (at: number, by: -1 | 1) => {
    const next = [...parameters];
    [next[at], next[at + by]] = [next[at + by]!, next[at]!];
    target.current = { at: at + by, part: "summary" };
    set(next);
  };
  return (
    <div className={styles.cards} ref={list}>
      {parameters.map((parameter, at) => (
        <ParameterCard
          // biome-ignore lint/suspicious/noArrayIndexKey: a parameter has no name that stays; the card holds no state of its own but a draft.
          key={at}
          parameter={parameter}
          at={at}
          count={parameters.length}
          onMove={(by) => move(at, by)}
          onRemove={() => {
            target.current = { at: Math.max(0, Math.min(at, parameters.length - 2)), part: "summary" };
            set(parameters.filter((_, index) => index !== at));
          }}
        />
      ))}
      <div>
        <Button
          size="small"
          icon={<Plus />}
          disabled={locked}
          onClick={() => {
            target.current = { at: parameters.length, part: "name" };
            set([...parameters, { name: freshName(parameters), type: "string" }]);
          }}
        >
          Add parameter
        </Button>
      </div>
    </div>
  );
}

interface ParameterCardProps {
  parameter: Parameter;
  at: number;
  count: number;
  onMove: (by: -1 | 1) => void;
  onRemove: () => void;
}

function ParameterCard({ parameter, at, count, onMove, onRemove }: ParameterCardProps) {
  const { parameters, set, locked } = useParameters();
  const problems = useProblems((state) => state.problems);
  const pointer = `/parameters/${at}`;
  const replace = (next: Parameter, options?: { join?: string }) => set(parameters.with(at, next), options);
  const type = parameter.type ?? "string";
  const warning = problems.find((problem) => problem.pointer === pointer);
  return (
    <details className={styles.card}>
      <summary data-pointer={pointer}>
        <ChevronRight className={styles.chevron} aria-hidden="true" />
        <span className={styles.cardTitle}>
          {parameter.label || parameter.name}
          {parameter.required && " *"}
        </span>
        <span className={styles.cardNote}>{typeNames[type] ?? type}</span>
      </summary>
      <div className={styles.cardBody}>
        {warning && <p className={styles.warning}>{warning.message}</p>}
        <NameField parameter={parameter} at={at} pointer={`${pointer}/name`} />
        <Field label="Type" error={problems.find((problem) => problem.pointer === `${pointer}/type`)?.message}>
          {(control) => (
            <select
              {...control}
              className={fieldStyles.control}
              data-pointer={`${pointer}/type`}
              value={type}
              disabled={locked}
              onChange={(event) => replace(withType(parameter, event.target.value as ParameterType))}
            >
              {Object.entries(typeNames).map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <SchemaForm
          schema={parameterSchema(parameter)}
          value={asForm(parameter)}
          pointer={pointer}
          problems={problems.filter((problem) => problem.pointer !== pointer)}
          disabled={locked}
          onChange={(form, options) => replace(fromForm(parameter, form), joined(options, "workflow"))}
        />
        <div className={styles.cardActions}>
          <IconButton
            size="small"
            label={`Move ${parameter.name} up`}
            icon={<ArrowUp />}
            disabled={locked || at === 0}
            onClick={() => onMove(-1)}
          />
          <IconButton
            size="small"
            label={`Move ${parameter.name} down`}
            icon={<ArrowDown />}
            disabled={locked || at === count - 1}
            onClick={() => onMove(1)}
          />
          <Button size="small" icon={<Trash2 />} disabled={locked} onClick={onRemove}>
            Remove parameter
          </Button>
        </div>
      </div>
    </details>
  );
}

/** The name takes effect when the field is left: references change with it. */
function NameField({ parameter, at, pointer }: { parameter: Parameter; at: number; pointer: string }) {
  const { parameters, edit, locked } = useParameters();
  const problems = useProblems((state) => state.problems);
  const [draft, setDraft] = useState<string>();
  const reason = draft === undefined ? null : whyNotName(parameters, at, draft);
  const commit = () => {
    setDraft(undefined);
    if (draft !== undefined && reason === null) edit((document) => renameParameter(document, at, draft));
  };
  return (
    <Field
      label="Name"
      required
      hint={`Steps name it as \${parameters.${draft ?? parameter.name}}.`}
      error={reason ?? problems.find((problem) => problem.pointer === pointer)?.message}
    >
      {(control) => (
        <input
          {...control}
          className={`${fieldStyles.control} ${fieldStyles.mono}`}
          data-pointer={pointer}
          value={draft ?? parameter.name}
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
