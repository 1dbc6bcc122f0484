import { useQuery } from "@tanstack/react-query";
import { handlerQuery } from "../../../api/queries";
import type { HandlerSummary, Json, StepDefinition } from "../../../api/types";
import { Button } from "../../../components/Button";
import { duration as spoken } from "../../../lib/time";
import { asSchema } from "../../schema-form/schema";
import { typeOfSchema } from "../../schema-form/variables";
import { Section } from "./Section";
import styles from "./settings.module.css";
import { effectWords } from "./stepSchema";
import { setStepKey, useEdit } from "./useSettings";

const abilities: { [name: string]: string } = {
  plan: "say before what it would do",
  undo: "be undone",
  cancel: "be cancelled",
  checkpoint: "go on where it stopped",
  reconcile: "tell whether it was done",
};

/** What a handler is, can do and gives. */
export function AboutStep({ step, handler }: { step: StepDefinition; handler: HandlerSummary }) {
  const { data: detail } = useQuery(handlerQuery(handler.path));
  const { edit, locked } = useEdit();
  const able = Object.entries(handler.capabilities).flatMap(([name, has]) => (has && abilities[name]) || []);
  const output = Object.entries(asSchema(handler.output_schema).properties ?? {});
  const example = detail?.example_config as { [key: string]: Json } | null | undefined;
  return (
    <Section title={`About “${handler.name}”`} note={`${handler.plugin} ${handler.plugin_version}`}>
      <p className={styles.text}>{handler.description}</p>
      <dl className={styles.facts}>
        <dt>Repeating it</dt>
        <dd>{effectWords[handler.effect_class] ?? handler.effect_class}</dd>
        {able.length > 0 && (
          <>
            <dt>It can</dt>
            <dd>{able.join(", ")}</dd>
          </>
        )}
        {detail !== undefined && detail.default_timeout > 0 && (
          <>
            <dt>Timeout</dt>
            <dd>{spoken(detail.default_timeout)} by itself</dd>
          </>
        )}
      </dl>
      {output.length > 0 && (
        <>
          <h4>Output</h4>
          <ul className={styles.outputs}>
            {output.map(([name, property]) => (
              <li key={name}>
                <code>{name}</code> <span className={styles.note}>{typeOfSchema(asSchema(property))}</span>
                {asSchema(property).description && <p className={styles.hint}>{asSchema(property).description}</p>}
              </li>
            ))}
          </ul>
        </>
      )}
      {example && (
        <>
          <h4>Example</h4>
          <pre className={styles.example}>{JSON.stringify(example, null, 2)}</pre>
          <div>
            <Button
              size="small"
              disabled={locked}
              onClick={() => edit(setStepKey(step.id, "config", structuredClone(example)))}
            >
              Use the example
            </Button>
          </div>
        </>
      )}
    </Section>
  );
}
