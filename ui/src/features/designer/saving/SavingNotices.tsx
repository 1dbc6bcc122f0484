import { History, Users } from "lucide-react";
import { useAnnounced } from "../../../components/announce";
import { Button } from "../../../components/Button";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { toast } from "../../../components/toast";
import { clockTime, exactTime } from "../../../lib/time";
import { useDesignerState } from "../context";
import styles from "./Saving.module.css";
import { CannotSave } from "./session";
import { useSavingSession, useSavingState, useUnsaved } from "./useSaving";

/** When a draft was written: the time of a day that is still today, otherwise with its date. */
export function draftTime(at: number, now = Date.now()): string {
  return new Date(at).toDateString() === new Date(now).toDateString() ? clockTime(at) : exactTime(at);
}

function LeftDraft() {
  const session = useSavingSession();
  const left = useSavingState((state) => state.left);
  const revision = useDesignerState((state) => state.saved.revision);
  const readOnly = useDesignerState((state) => state.readOnly);
  if (!left || readOnly) return null;
  return (
    <section className={styles.notice} aria-label="Unsaved changes of an earlier visit">
      <History aria-hidden="true" />
      <p>
        Restore your unsaved changes from {draftTime(left.at)}?
        {left.revision < revision &&
          ` They were made on version ${left.revision}; version ${revision} was saved since.`}
      </p>
      <div className={styles.noticeActions}>
        <Button size="small" kind="quiet" onClick={() => void session.discardLeft()}>
          Discard them
        </Button>
        <Button size="small" kind="primary" onClick={() => void session.restoreLeft()}>
          Restore
        </Button>
      </div>
    </section>
  );
}

function Elsewhere() {
  const session = useSavingSession();
  const elsewhere = useSavingState((state) => state.elsewhere);
  const unsaved = useUnsaved();
  const readOnly = useDesignerState((state) => state.readOnly);
  const by = elsewhere?.by ? ` by ${elsewhere.by}` : "";
  const deleted = `This workflow was deleted${by} meanwhile.${readOnly ? "" : " What is here can be saved as a new one."}`;
  const saved = `Version ${elsewhere?.revision} was saved${by} in another tab or by somebody else.`;
  useAnnounced(!elsewhere ? "" : elsewhere.event === "workflow_deleted" ? deleted : saved);
  if (!elsewhere) return null;
  if (elsewhere.event === "workflow_deleted") {
    return (
      <section className={styles.notice}>
        <Users aria-hidden="true" />
        <p>{deleted}</p>
        {!readOnly && (
          <Button size="small" kind="primary" onClick={() => session.askCopy(true)}>
            Save as a new workflow…
          </Button>
        )}
      </section>
    );
  }
  const take = async () => {
    if (await session.takeTheirs()) toast({ title: `Version ${elsewhere.revision} is open`, kind: "success" });
  };
  return (
    <section className={styles.notice}>
      <Users aria-hidden="true" />
      <p>
        {saved}
        {unsaved && " Your changes are kept here."}
      </p>
      <div className={styles.noticeActions}>
        <Button size="small" kind="quiet" onClick={() => session.dismissElsewhere()}>
          Not now
        </Button>
        {unsaved ? (
          <Button size="small" kind="primary" onClick={() => void session.openConflict()}>
            See differences
          </Button>
        ) : (
          <Button size="small" kind="primary" onClick={() => void take()}>
            Show version {elsewhere.revision}
          </Button>
        )}
      </div>
    </section>
  );
}

function SaveFailed() {
  const session = useSavingSession();
  const progress = useSavingState((state) => state.progress);
  const conflict = useSavingState((state) => state.conflict);
  const elsewhere = useSavingState((state) => state.elsewhere);
  const told = progress.kind === "failed" && !conflict && elsewhere?.event !== "workflow_deleted";
  const error = told ? progress.error : null;
  useAnnounced(error instanceof CannotSave ? error.message : "", { manner: "assertive" });
  if (!told) return null;
  return (
    <div className={styles.error}>
      {error instanceof CannotSave ? (
        <p>{error.message}</p>
      ) : (
        <ErrorNotice error={error} doing="The workflow could not be saved" onRetry={() => void session.save()} />
      )}
    </div>
  );
}

function ExportFailed() {
  const session = useSavingSession();
  const failed = useSavingState((state) => state.exportFailed);
  if (!failed) return null;
  return (
    <div className={styles.error}>
      <ErrorNotice
        error={failed.error}
        doing="The workflow could not be exported"
        onRetry={() => void session.exportSaved(failed.format)}
        onClose={() => session.dismissExport()}
      />
    </div>
  );
}

const noDrafts = "This browser keeps no drafts: its storage is full or turned off. Save often.";

/** What a person should know about saving, between the toolbar and the canvas; mostly nothing. */
export function SavingNotices() {
  const draftError = useSavingState((state) => state.draftError);
  useAnnounced(draftError ? noDrafts : "", { opening: true });
  return (
    <div className={styles.notices}>
      <SaveFailed />
      <ExportFailed />
      <Elsewhere />
      <LeftDraft />
      {draftError && <p className={styles.notice}>{noDrafts}</p>}
    </div>
  );
}
