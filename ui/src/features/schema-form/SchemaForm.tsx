import { type RefObject, useMemo, useState } from "react";
import type { Json } from "../../api/types";
import { useAnnounced } from "../../components/announce";
import { fieldStyles } from "../../components/Field";
import { type EditOptions, type FormContext, SchemaFormContext } from "./context";
import { asObject, Properties } from "./fields/map";
import { SchemaField } from "./SchemaField";
import styles from "./SchemaForm.module.css";
import { asSchema, kindOf } from "./schema";
import { VariableBrowser } from "./VariableBrowser";
import type { FieldProblem } from "./validate";
import type { Variable } from "./variables";

export interface SchemaFormProps {
  /** A JSON Schema of a map; see schema.ts for what becomes a field of its own. */
  schema: unknown;
  value: Json | undefined;
  /** Given the whole value after each edit; edits with one join key within a moment belong together. */
  onChange: (value: { [key: string]: Json }, options?: EditOptions) => void;
  /** Where the value is in what surrounds it, such as /steps/2/config. */
  pointer?: string;
  /** All problems of the value, their pointers beginning with the form's own. */
  problems?: readonly Pick<FieldProblem, "pointer" | "message">[];
  /** What ${…} may name; without it values are taken as they are. */
  variables?: readonly Variable[] | null;
  /** By the name of a widget, what its fields suggest. */
  suggestions?: FormContext["suggestions"];
  disabled?: boolean;
}

interface Browsing {
  onPick: (reference: string) => void;
  secretsFirst?: boolean;
  returnTo?: RefObject<HTMLElement | null>;
}

const noProblems: readonly never[] = [];
const noSuggestions = {};

/** Fields for a value, made from its schema. */
export function SchemaForm({ schema: given, value, onChange, pointer = "", ...shared }: SchemaFormProps) {
  const schema = asSchema(given);
  const own = shared.problems?.find((problem) => problem.pointer === pointer);
  const fields = kindOf(schema);
  useAnnounced(own?.message ?? "", { manner: "assertive", opening: true });
  return (
    <FormScope {...shared}>
      <div className={styles.fields}>
        {own && <p className={fieldStyles.error}>{own.message}</p>}
        {fields.kind === "object" ? (
          <Properties schema={schema} pointer={pointer} value={asObject(value)} onChange={onChange} />
        ) : (
          <SchemaField
            schema={schema}
            label="Configuration"
            pointer={pointer}
            value={value}
            onChange={(next, options) => onChange(asObject(next), options)}
          />
        )}
      </div>
    </FormScope>
  );
}

type FormScopeProps = Pick<SchemaFormProps, "problems" | "variables" | "suggestions" | "disabled"> & {
  children: React.ReactNode;
};

/** What fields share: their problems, what they may name, and the list of variables that they open. */
export function FormScope({
  problems = noProblems,
  variables = null,
  suggestions = noSuggestions,
  disabled = false,
  children,
}: FormScopeProps) {
  const [browsing, setBrowsing] = useState<Browsing>();
  const [open, setOpen] = useState(false);
  const context = useMemo<FormContext>(() => {
    const byPointer = new Map<string, FieldProblem[]>();
    for (const problem of problems) {
      byPointer.set(problem.pointer, [...(byPointer.get(problem.pointer) ?? []), problem as FieldProblem]);
    }
    return {
      variables,
      problems: byPointer,
      disabled,
      suggestions,
      browse: (onPick, options) => {
        setBrowsing({ onPick, ...options });
        setOpen(true);
      },
    };
  }, [problems, variables, suggestions, disabled]);
  return (
    <SchemaFormContext.Provider value={context}>
      {children}
      {variables && (
        <VariableBrowser
          open={open}
          onOpenChange={setOpen}
          variables={variables}
          secretsFirst={browsing?.secretsFirst}
          returnTo={browsing?.returnTo}
          onPick={(reference) => browsing?.onPick(reference)}
        />
      )}
    </SchemaFormContext.Provider>
  );
}
