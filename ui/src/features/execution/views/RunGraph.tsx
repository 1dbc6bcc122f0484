import { lazy, Suspense } from "react";
import { Spinner } from "../../../components/Spinner";
import { useRunPage } from "../context";
import { useRunStatuses } from "./statusSource";
import styles from "./views.module.css";

const GraphView = lazy(() => import("../../graph/GraphView").then((file) => ({ default: file.GraphView })));

/** The steps of the run as a graph. */
export function RunGraph() {
  const { definition, live, step, select, shown } = useRunPage();
  const statuses = useRunStatuses(live, shown);
  return (
    <div className={styles.graph}>
      {definition && (
        <Suspense fallback={<Wait />}>
          <GraphView
            definition={definition}
            statuses={statuses}
            selected={step}
            onSelect={select}
            minimap={definition.steps.length > 12}
            label="Graph of the run"
          />
        </Suspense>
      )}
      {!definition && <Wait />}
    </div>
  );
}

function Wait() {
  return (
    <p className={styles.wait}>
      <Spinner />
      Drawing the graph
    </p>
  );
}
