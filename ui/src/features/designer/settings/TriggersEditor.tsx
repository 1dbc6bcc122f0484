import { CalendarClock, ChevronRight, FileClock, Plus, Trash2, Webhook, Workflow } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef } from "react";
import type { Json, Parameter } from "../../../api/types";
import { Button } from "../../../components/Button";
import { FieldGroup } from "../../../components/Field";
import { Menu } from "../../../components/Menu";
import { SchemaForm } from "../../schema-form/SchemaForm";
import { useDesignerState } from "../context";
import { useProblems } from "../problems";
import styles from "./settings.module.css";
import {
  describeTrigger,
  freshTrigger,
  isTriggerType,
  type Trigger,
  type TriggerType,
  triggerHelp,
  triggerNames,
  triggerParameters,
  triggerSchema,
  triggerTypes,
} from "./triggerModel";
import { joined, setKey, useEdit, useSuggestions, useVariables, withKey } from "./useSettings";

const none: Trigger[] = [];
const noParameters: Parameter[] = [];

const icons: { [type in TriggerType]: ReactNode } = {
  schedule: <CalendarClock />,
  webhook: <Webhook />,
  workflow: <Workflow />,
  file: <FileClock />,
};

function useTriggers() {
  const triggers = useDesignerState((state) => state.document.triggers) ?? none;
  const { edit, locked } = useEdit();
  const set = (next: Trigger[], options?: { join?: string }) =>
    edit(setKey("triggers", next.length > 0 ? next : undefined), options);
  return { triggers, set, locked };
}

/** What starts the workflow without a person. */
export function TriggersEditor() {
  const { triggers, set, locked } = useTriggers();
  const list = useRef<HTMLDivElement>(null);
  const target = useRef<number>(undefined);
  useEffect(() => {
    const at = target.current;
    target.current = undefined;
    if (at === undefined) return;
    const card = list.current?.children[at];
    if (card instanceof HTMLDetailsElement && at === triggers.length - 1) card.open = true;
    (card?.querySelector<HTMLElement>("summary") ?? list.current?.querySelector("button"))?.focus();
  });
  return (
    <div className={styles.cards} ref={list}>
      {triggers.map((trigger, at) => (
        <TriggerCard
          // biome-ignore lint/suspicious/noArrayIndexKey: an id may be missing; the card holds no state of its own.
          key={at}
          trigger={trigger}
          at={at}
          onChange={(next, options) => set(triggers.with(at, next), options)}
          onRemove={() => {
            target.current = Math.max(0, at - 1);
            set(triggers.filter((_, index) => index !== at));
          }}
        />
      ))}
      <div>
        <Menu
          align="start"
          trigger={
            <Button size="small" icon={<Plus />} disabled={locked}>
              Add trigger
            </Button>
          }
          groups={[
            triggerTypes.map((type) => ({
              id: type,
              label: triggerNames[type],
              icon: icons[type],
              hint: triggerHelp[type].split(". ")[0],
              onSelect: () => {
                target.current = triggers.length;
                set([...triggers, freshTrigger(type)]);
              },
            })),
          ]}
        />
      </div>
    </div>
  );
}

interface TriggerCardProps {
  trigger: Trigger;
  at: number;
  onChange: (trigger: Trigger, options?: { join?: string }) => void;
  onRemove: () => void;
}

function TriggerCard({ trigger, at, onChange, onRemove }: TriggerCardProps) {
  const { locked } = useTriggers();
  const type = isTriggerType(trigger.type) ? trigger.type : "schedule";
  return (
    <details className={styles.card}>
      <summary data-pointer={`/triggers/${at}`}>
        <ChevronRight className={styles.chevron} aria-hidden="true" />
        <span className={styles.cardTitle}>
          {triggerNames[type]}
          {trigger.enabled === false && " (off)"}
        </span>
        <span className={styles.cardNote}>{describeTrigger(trigger)}</span>
      </summary>
      <div className={styles.cardBody}>
        <p className={styles.hint}>{triggerHelp[type]}</p>
        <TriggerForm trigger={trigger} type={type} at={at} onChange={onChange} />
        <TriggerParameters trigger={trigger} type={type} at={at} onChange={onChange} />
        <div>
          <Button size="small" icon={<Trash2 />} disabled={locked} onClick={onRemove}>
            Remove trigger
          </Button>
        </div>
      </div>
    </details>
  );
}

type PartProps = Omit<TriggerCardProps, "onRemove"> & { type: TriggerType };

function TriggerForm({ trigger, type, at, onChange }: PartProps) {
  const { locked } = useTriggers();
  const problems = useProblems((state) => state.problems);
  const suggestions = useSuggestions();
  const schema = useMemo(() => triggerSchema(type), [type]);
  const { type: _, parameters, ...rest } = trigger;
  return (
    <SchemaForm
      schema={schema}
      value={rest}
      pointer={`/triggers/${at}`}
      problems={problems}
      suggestions={suggestions}
      disabled={locked}
      onChange={(next, options) =>
        onChange(withKey({ type, ...next }, "parameters", parameters) as Trigger, joined(options, "workflow"))
      }
    />
  );
}

function TriggerParameters({ trigger, type, at, onChange }: PartProps) {
  const { locked } = useTriggers();
  const parameters = useDesignerState((state) => state.document.parameters) ?? noParameters;
  const problems = useProblems((state) => state.problems);
  const variables = useVariables(null, "trigger", type);
  const schema = useMemo(() => triggerParameters(parameters), [parameters]);
  if (parameters.length === 0) return null;
  return (
    <FieldGroup framed label="Parameters" hint="What the workflow is started with. Empty: the parameter's default.">
      <SchemaForm
        schema={schema}
        value={(trigger.parameters ?? {}) as Json}
        pointer={`/triggers/${at}/parameters`}
        problems={problems}
        variables={variables}
        disabled={locked}
        onChange={(next, options) =>
          onChange(
            withKey(trigger, "parameters", Object.keys(next).length > 0 ? next : undefined),
            joined(options, "workflow"),
          )
        }
      />
    </FieldGroup>
  );
}
