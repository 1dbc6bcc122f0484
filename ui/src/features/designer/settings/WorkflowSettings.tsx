import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { typesQuery } from "../../../api/queries";
import type { Json } from "../../../api/types";
import { FieldGroup } from "../../../components/Field";
import { SchemaField } from "../../schema-form/SchemaField";
import { FormScope, SchemaForm } from "../../schema-form/SchemaForm";
import { asSchema, type JsonSchema } from "../../schema-form/schema";
import { useDesignerState } from "../context";
import { useProblems } from "../problems";
import { ParametersEditor } from "./ParametersEditor";
import { Section } from "./Section";
import styles from "./settings.module.css";
import { concurrency, duration, onFailure } from "./stepSchema";
import { TriggersEditor } from "./TriggersEditor";
import { joined, setKey, unlessDefault, useContent, useEdit, useVariables, withKey } from "./useSettings";

const general: { [key: string]: JsonSchema } = {
  name: { type: "string", title: "Name", minLength: 1, maxLength: 200 },
  description: { type: "string", title: "Description", "x-vwmp-multiline": true, maxLength: 1000 },
  version: {
    type: "string",
    title: "Version",
    default: "1.0.0",
    description: "Your own number; each save has one of its own.",
  },
  tags: {
    type: "array",
    title: "Tags",
    description: "For search and filters.",
    items: { type: "string" },
    maxItems: 100,
  },
};

const timeout = duration("Timeout", "Of a whole execution. Empty: none.");
const freeConfig: JsonSchema = { type: "object", title: "Values" };

/** What belongs to the workflow as a whole. */
export function WorkflowSettings() {
  const document = useContent();
  return (
    <>
      <header className={styles.head}>
        <div className={styles.titles}>
          <h2>Workflow</h2>
          <p className={styles.hint}>Select a step to set it up.</p>
        </div>
      </header>
      <div className={styles.body}>
        <General />
        <Section title="Parameters" note={amount(document.parameters)} open>
          <ParametersEditor />
        </Section>
        <Section title="Config" note={amount(Object.keys(document.config ?? {}))}>
          <Config />
        </Section>
        <Section title="Execution" note={document.on_failure ?? "stop"}>
          <Execution />
        </Section>
        <Section title="Triggers" note={amount(document.triggers)}>
          <TriggersEditor />
        </Section>
      </div>
    </>
  );
}

function amount(list: readonly unknown[] | undefined): string {
  return list?.length ? String(list.length) : "none";
}

/** A field of one key of the workflow. */
function useWorkflowField() {
  const document = useContent();
  const { edit } = useEdit();
  return (key: string, schema: JsonSchema, clean: (value: Json | undefined) => Json | undefined = (value) => value) => (
    <SchemaField
      key={key}
      schema={schema}
      label={schema.title ?? key}
      pointer={`/${key}`}
      value={document[key] as Json | undefined}
      required={key === "name"}
      onChange={(value, options) => edit(setKey(key, clean(value)), joined(options, "workflow"))}
    />
  );
}

function General() {
  const problems = useProblems((state) => state.problems);
  const { data: types = [] } = useQuery(typesQuery);
  const { locked } = useEdit();
  const field = useWorkflowField();
  const type = useDesignerState((state) => state.document.type);
  const typeSchema = useMemo<JsonSchema>(() => {
    const known = types.map(({ name, display_name, description }) => ({
      const: name,
      title: display_name || name,
      description,
    }));
    const own = type && type !== "custom" && !types.some(({ name }) => name === type);
    const described = types.find(({ name }) => name === type)?.description;
    return {
      title: "Type",
      default: "custom",
      description: described ?? "A type brings rules and config of its own.",
      oneOf: [{ const: "custom", title: "Custom" }, ...known, ...(own ? [{ const: type, title: type }] : [])],
    };
  }, [types, type]);
  return (
    <FormScope problems={problems} disabled={locked}>
      {field("name", general.name!, (value) => value ?? "")}
      {field("description", general.description!)}
      {field("type", typeSchema, (value) => unlessDefault(value, "custom"))}
      {field("tags", general.tags!)}
      {field("version", general.version!)}
    </FormScope>
  );
}

function Config() {
  const config = useDesignerState((state) => state.document.config);
  const type = useDesignerState((state) => state.document.type);
  const problems = useProblems((state) => state.problems);
  const { data: types = [] } = useQuery(typesQuery);
  const { edit, locked } = useEdit();
  const known = asSchema(types.find(({ name }) => name === type)?.config_schema);
  const schema = useMemo<JsonSchema>(
    () => (known.properties ? { additionalProperties: {}, ...known } : freeConfig),
    [known],
  );
  return (
    <>
      <p className={styles.hint}>Values that steps name as {"${config.…}"}.</p>
      <SchemaForm
        schema={schema}
        value={config}
        pointer="/config"
        problems={problems}
        disabled={locked}
        onChange={(value, options) =>
          edit(setKey("config", Object.keys(value).length > 0 ? value : undefined), joined(options, "workflow"))
        }
      />
    </>
  );
}

function Execution() {
  const problems = useProblems((state) => state.problems);
  const { locked } = useEdit();
  const field = useWorkflowField();
  return (
    <FormScope problems={problems} disabled={locked}>
      {field("on_failure", onFailure, (value) => unlessDefault(value, "stop"))}
      {field("timeout", timeout)}
      <Concurrency />
    </FormScope>
  );
}

/** How many executions run at once. Only what they are counted by may hold a variable. */
function Concurrency() {
  const value = useDesignerState((state) => state.document.concurrency);
  const problems = useProblems((state) => state.problems);
  const variables = useVariables(null, "concurrency");
  const { edit, locked } = useEdit();
  const field = (key: "limit" | "key" | "on_conflict") => (
    <SchemaField
      schema={concurrency[key]!}
      label={concurrency[key]!.title!}
      pointer={`/concurrency/${key}`}
      value={value?.[key]}
      onChange={(next, options) => {
        const changed = withKey((value ?? {}) as { [key: string]: Json }, key, next);
        edit(setKey("concurrency", Object.keys(changed).length > 0 ? changed : undefined), joined(options, "workflow"));
      }}
    />
  );
  return (
    <FieldGroup framed label="Executions at the same time" pointer="/concurrency">
      {field("limit")}
      <FormScope problems={problems} disabled={locked} variables={variables}>
        {field("key")}
      </FormScope>
      {field("on_conflict")}
    </FieldGroup>
  );
}
