import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { keys } from "../../api/queries";
import { AlertDialog } from "../../components/AlertDialog";
import { Button } from "../../components/Button";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Skeleton } from "../../components/Skeleton";
import { Ago } from "../../components/Time";
import { toast } from "../../components/toast";
import { count } from "../../lib/text";
import { CompareDialog } from "./CompareDialog";
import { type ListedVersion, restoreVersion, versionsQuery } from "./queries";
import styles from "./Versions.module.css";

interface VersionListProps {
  workflowId: string;
  /** The version that is open, where one is. */
  current?: number;
  /** Why nothing can be restored now. */
  locked?: string;
  /** What a restore would do to what is not saved. */
  warning?: string;
  /** Another version is the newest by now. */
  onRestored?: (revision: number) => void;
}

function changesOf({ changed_steps, revision, step_count }: ListedVersion): string {
  if (revision === 1) return `First version, ${count(step_count, "step")}`;
  if (changed_steps === undefined) return count(step_count, "step");
  return changed_steps === 0 ? "No step changed" : `${count(changed_steps, "step")} changed`;
}

function Row({
  version,
  newest,
  current,
  locked,
  onCompare,
  onRestore,
}: {
  version: ListedVersion;
  newest: boolean;
  current: boolean;
  locked?: string;
  onCompare: () => void;
  onRestore: () => void;
}) {
  const { revision, author, message, created_at, valid } = version;
  return (
    <li className={styles.version} aria-current={current ? "true" : undefined}>
      <p className={styles.number}>
        Version {revision}
        {newest && <span className={styles.tag}>Newest</span>}
        {current && !newest && <span className={styles.tag}>Open here</span>}
        {!valid && <span className={styles.tag}>Draft</span>}
      </p>
      <p className={styles.facts}>
        <Ago time={created_at} />
        {author && ` by ${author}`} · {changesOf(version)}
      </p>
      {message && <p className={styles.note}>{message}</p>}
      <p className={styles.actions}>
        {revision > 1 && (
          <Button size="small" kind="quiet" aria-label={`Compare version ${revision}`} onClick={onCompare}>
            Compare
          </Button>
        )}
        {!newest && (
          <Button size="small" kind="quiet" aria-label={`Restore version ${revision}`} why={locked} onClick={onRestore}>
            Restore
          </Button>
        )}
      </p>
    </li>
  );
}

/** The saved versions of a workflow: who, when, why and how much; any two can be compared, any one restored. */
export default function VersionList({ workflowId, current, locked, warning, onRestored }: VersionListProps) {
  const queries = useQueryClient();
  const list = useInfiniteQuery(versionsQuery(workflowId));
  const [compared, setCompared] = useState<number | null>(null);
  const [asked, setAsked] = useState<number | null>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  const versions = list.data?.pages.flatMap((page) => page.versions) ?? [];
  const newest = versions[0]?.revision ?? 0;
  const restore = async () => {
    setBusy(true);
    setFailed(null);
    try {
      const made = await restoreVersion(workflowId, asked!, newest);
      toast({ title: `Version ${asked} is restored`, description: `It is version ${made} now.`, kind: "success" });
      setAsked(null);
      await queries.invalidateQueries({ queryKey: keys.workflow(workflowId) });
      onRestored?.(made);
    } catch (error) {
      setFailed(error);
    } finally {
      setBusy(false);
    }
  };
  if (list.error) {
    return (
      <ErrorNotice error={list.error} doing="The versions could not be loaded" onRetry={() => void list.refetch()} />
    );
  }
  if (!list.data) return <Skeleton height={160} />;
  return (
    <>
      <ol className={styles.versions} aria-label="Versions, the newest first">
        {versions.map((version) => (
          <Row
            key={version.revision}
            version={version}
            newest={version.revision === newest}
            current={version.revision === current}
            locked={locked}
            onCompare={() => setCompared(version.revision)}
            onRestore={() => setAsked(version.revision)}
          />
        ))}
      </ol>
      {list.hasNextPage && (
        <Button size="small" busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show older versions
        </Button>
      )}
      <CompareDialog
        workflowId={workflowId}
        versions={versions.map(({ revision }) => revision)}
        compared={compared}
        onClose={() => setCompared(null)}
      />
      <AlertDialog
        open={asked !== null}
        onOpenChange={(open) => {
          if (!open) {
            setAsked(null);
            setFailed(null);
          }
        }}
        title={`Restore version ${asked}?`}
        confirm="Restore it"
        busyText="Restoring…"
        busy={busy}
        danger={warning !== undefined}
        onConfirm={() => void restore()}
      >
        <p>It becomes the newest version, number {newest + 1}. All versions in between stay in the history.</p>
        {warning && <p>{warning}</p>}
        {failed !== null && <ErrorNotice error={failed} doing="The version could not be restored" />}
      </AlertDialog>
    </>
  );
}
