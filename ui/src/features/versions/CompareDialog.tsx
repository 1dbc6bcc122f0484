import { Tabs } from "@base-ui/react/tabs";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Dialog } from "../../components/Dialog";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Field } from "../../components/Field";
import { Select } from "../../components/Select";
import { Skeleton } from "../../components/Skeleton";
import { GraphDiff } from "./GraphDiff";
import { versionQuery } from "./queries";
import styles from "./Versions.module.css";

const TextDiff = lazy(() => import("./TextDiff"));

interface CompareProps {
  workflowId: string;
  /** The numbers of all known versions, the newest first. */
  versions: readonly number[];
  /** The newer of the two that are compared at first; null while the dialog is closed. */
  compared: number | null;
  onClose: () => void;
}

function Comparison({ workflowId, versions, compared }: CompareProps) {
  const [to, setTo] = useState(compared!);
  const [from, setFrom] = useState(Math.max(1, compared! - 1));
  const a = useQuery(versionQuery(workflowId, from));
  const b = useQuery(versionQuery(workflowId, to));
  const choices = versions.map((number) => ({ value: String(number), label: `Version ${number}` }));
  const error = a.error ?? b.error;
  return (
    <div className={styles.compare}>
      <div className={styles.choices}>
        <Field label="Before">
          {(control) => (
            <Select {...control} choices={choices} value={String(from)} onChoose={(n) => setFrom(Number(n))} />
          )}
        </Field>
        <Field label="After">
          {(control) => <Select {...control} choices={choices} value={String(to)} onChoose={(n) => setTo(Number(n))} />}
        </Field>
      </div>
      {error && (
        <ErrorNotice
          error={error}
          doing="The versions could not be loaded"
          onRetry={() => void Promise.all([a.refetch(), b.refetch()])}
        />
      )}
      {!error && (!a.data || !b.data) && <Skeleton height={320} />}
      {a.data && b.data && (
        <Tabs.Root defaultValue="graph" className={styles.tabs}>
          <Tabs.List className={styles.tabList} aria-label="Form of the comparison">
            <Tabs.Tab value="graph" className={styles.tab}>
              Graph
            </Tabs.Tab>
            <Tabs.Tab value="text" className={styles.tab}>
              Text
            </Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="graph">
            <GraphDiff
              key={`${from} ${to}`}
              from={a.data.definition}
              to={b.data.definition}
              label={`Version ${to} against version ${from}`}
            />
          </Tabs.Panel>
          <Tabs.Panel value="text">
            <Suspense fallback={<Skeleton height={320} />}>
              <TextDiff from={a.data.yaml} to={b.data.yaml} fromLabel={`Version ${from}`} toLabel={`Version ${to}`} />
            </Suspense>
          </Tabs.Panel>
        </Tabs.Root>
      )}
    </div>
  );
}

/** Two versions side by side, as graph and as text. */
export function CompareDialog(props: CompareProps) {
  return (
    <Dialog
      open={props.compared !== null}
      onOpenChange={(open) => !open && props.onClose()}
      title="Compare versions"
      width="large"
    >
      {props.compared !== null && <Comparison {...props} />}
    </Dialog>
  );
}
