import { useState } from "react";
import type { Definition, Json } from "../../../api/types";
import { count } from "../../../lib/text";
import { JsonField, jsonText, parseJson } from "../JsonField";
import styles from "./dialogs.module.css";

interface ParametersEditProps {
  definition: Pick<Definition, "parameters"> | undefined;
  values: { [name: string]: Json };
  /** Given the edited values; null while they can't be read. */
  onChange: (values: { [name: string]: Json } | null) => void;
}

/** Lets the parameters of an earlier run be changed. */
export function ParametersEdit({ definition, values, onChange }: ParametersEditProps) {
  const [text, setText] = useState(() => jsonText(values));
  const [mistake, setMistake] = useState("");
  const parameters = definition?.parameters ?? [];
  if (parameters.length === 0) return null;
  const edit = (next: string) => {
    setText(next);
    const parsed = parseJson(next, true);
    setMistake(parsed.ok ? "" : parsed.message);
    onChange(parsed.ok ? ((parsed.value ?? {}) as { [name: string]: Json }) : null);
  };
  return (
    <details className={styles.more}>
      <summary>Change {count(parameters.length, "parameter")}</summary>
      <div>
        <JsonField
          label="Parameters"
          hint="What is left as it is keeps its value, hidden ones too."
          text={text}
          onChange={edit}
          error={mistake}
          rows={Math.min(12, text.split("\n").length + 1)}
        />
      </div>
    </details>
  );
}
