import { useMemo, useState } from "react";
import type { Definition, StepDefinition } from "../../api/types";
import { ChangeList } from "../../components/ChangeList";
import { differences } from "../../lib/differences";
import { GraphView } from "../graph/GraphView";
import type { StepStatus } from "../graph/status";
import styles from "./Versions.module.css";

/** Both graphs in one: the steps of the newer, and those that it has no more. */
function merged(from: Definition, to: Definition): StepDefinition[] {
  const now = new Set(to.steps.map(({ id }) => id));
  return [...to.steps, ...from.steps.filter(({ id }) => !now.has(id))];
}

/** Two definitions as one graph, with what was added, removed and changed marked on its steps. */
export function GraphDiff({ from, to, label }: { from: Definition; to: Definition; label: string }) {
  const [selected, setSelected] = useState<string>();
  const changes = useMemo(() => differences(from, to), [from, to]);
  const definition = useMemo(() => ({ steps: merged(from, to) }), [from, to]);
  const statuses = useMemo(
    () =>
      new Map(
        changes.steps.map(({ id, change, keys }): [string, StepStatus] => [
          id,
          { status: "pending", change, ...(keys.length > 0 && { message: keys.join(", ") }) },
        ]),
      ),
    [changes],
  );
  return (
    <div className={styles.graph}>
      <div className={styles.picture}>
        <GraphView
          definition={definition}
          statuses={statuses}
          selected={selected}
          onSelect={(id) => setSelected(id ?? undefined)}
          label={label}
        />
      </div>
      <ChangeList differences={changes} label="What changed" />
    </div>
  );
}
