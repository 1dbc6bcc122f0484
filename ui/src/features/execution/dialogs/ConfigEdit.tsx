import { useMemo } from "react";
import type { Definition, Json, StepDefinition } from "../../../api/types";
import { useHandlers } from "../../graph/handlers";
import { SchemaForm } from "../../schema-form/SchemaForm";
import { variablesFor } from "../../schema-form/variables";
import styles from "./dialogs.module.css";

interface ConfigEditProps {
  definition: Definition;
  step: StepDefinition;
  config: { [key: string]: Json };
  onChange: (config: { [key: string]: Json }) => void;
}

const anything = { "x-vwmp-widget": "json" };

/** Lets the config of the step that a fork goes on from be changed. */
export function ConfigEdit({ definition, step, config, onChange }: ConfigEditProps) {
  const handlers = useHandlers();
  const variables = useMemo(
    () => (handlers ? variablesFor({ document: definition, stepId: step.id, place: "config", handlers }) : null),
    [definition, step.id, handlers],
  );
  return (
    <details className={styles.more}>
      <summary>Change the config of this step</summary>
      <div>
        <SchemaForm
          schema={handlers?.get(step.handler)?.config_schema ?? anything}
          value={config}
          variables={variables}
          onChange={onChange}
        />
      </div>
    </details>
  );
}
