import { useMemo, useState } from "react";
import type { Definition, Json, Parameter } from "../../../api/types";
import { count } from "../../../lib/text";
import { checkParameters, formSchema, sentValues, type Values } from "../../launch/parameters";
import { SchemaForm } from "../../schema-form/SchemaForm";
import { changedValues } from "../model/edits";
import styles from "./dialogs.module.css";

/** What was changed of the parameters, and whether it can be sent. */
export interface ParameterEdits {
  changed: Values | undefined;
  valid: boolean;
}

export const noEdits: ParameterEdits = { changed: undefined, valid: true };

interface ParametersEditProps {
  definition: Pick<Definition, "parameters"> | undefined;
  /** Those of the earlier run; secret ones are hidden in it. */
  before: Values;
  onChange: (edits: ParameterEdits) => void;
}

/** A secret is kept unless another is given, so that none is asked for. */
function editable(parameter: Parameter, before: Values): Parameter {
  if (parameter.type !== "secret" || before[parameter.name] === undefined) return parameter;
  const description = [parameter.description, "Left empty, it keeps its value."].filter(Boolean).join(" ");
  return { ...parameter, required: false, description };
}

/** The values that stand in the form at first. */
function shownValues(parameters: readonly Parameter[], before: Values): Values {
  const values: Values = {};
  for (const { name, type, default: fallback } of parameters) {
    if (type === "secret") continue;
    const value = before[name] ?? fallback;
    if (value !== undefined && value !== null) values[name] = value;
  }
  return values;
}

/** Lets the parameters of an earlier run be changed. */
export function ParametersEdit({ definition, before, onChange }: ParametersEditProps) {
  const given = definition?.parameters;
  const parameters = useMemo(() => (given ?? []).map((parameter) => editable(parameter, before)), [given, before]);
  const schema = useMemo(() => formSchema(parameters), [parameters]);
  const [values, setValues] = useState(() => shownValues(parameters, before));
  if (parameters.length === 0) return null;
  const problems = checkParameters(parameters, values);
  const edit = (next: { [name: string]: Json }) => {
    setValues(next);
    const sent = sentValues(parameters, next);
    onChange({ changed: changedValues(before, sent), valid: checkParameters(parameters, next).length === 0 });
  };
  return (
    <details className={styles.more} open={problems.length > 0 || undefined}>
      <summary>Change the {count(parameters.length, "parameter")}</summary>
      <div>
        <SchemaForm schema={schema} value={values} problems={problems} onChange={edit} />
      </div>
    </details>
  );
}
