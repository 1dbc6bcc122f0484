import { lazy, Suspense, useMemo, useState } from "react";
import { PageSkeleton } from "../../../app/PageSkeleton";
import { Button } from "../../../components/Button";
import { ChangeList } from "../../../components/ChangeList";
import { Dialog } from "../../../components/Dialog";
import { toast } from "../../../components/toast";
import { differences } from "../../../lib/differences";
import { relativeTime } from "../../../lib/time";
import { useDesignerState } from "../context";
import styles from "./ConflictDialog.module.css";
import type { Newest } from "./server";
import { useSavingSession, useSavingState } from "./useSaving";

const DefinitionDiff = lazy(() => import("../../versions/DefinitionDiff"));

function Changes({ conflict }: { conflict: Newest }) {
  const document = useDesignerState((state) => state.document);
  const base = useDesignerState((state) => state.saved.definition);
  const mine = useMemo(() => differences(base, document), [base, document]);
  const theirs = useMemo(() => differences(base, conflict.definition), [base, conflict]);
  return (
    <>
      <div className={styles.sides}>
        <section>
          <h3>Yours</h3>
          <ChangeList differences={mine} label="Your changes" />
        </section>
        <section>
          <h3>Theirs, version {conflict.revision}</h3>
          <ChangeList differences={theirs} label="Their changes" />
        </section>
      </div>
      <h3>As text: theirs at the left, yours at the right</h3>
      <Suspense fallback={<PageSkeleton />}>
        <DefinitionDiff from={conflict.definition} to={document} fromLabel="Theirs" toLabel="Yours" />
      </Suspense>
    </>
  );
}

/** Somebody saved meanwhile: nothing is decided without the person. */
export default function ConflictDialog() {
  const session = useSavingSession();
  const conflict = useSavingState((state) => state.conflict);
  const saving = useSavingState((state) => state.progress.kind === "saving");
  const name = useDesignerState((state) => state.document.name);
  const [seen, setSeen] = useState(false);
  const [taking, setTaking] = useState(false);
  const close = () => {
    setSeen(false);
    session.closeConflict();
  };
  const take = async () => {
    setTaking(true);
    const done = await session.takeTheirs();
    setTaking(false);
    setSeen(false);
    if (done) toast({ title: "Their version is open", description: "Undo brings yours back.", kind: "success" });
  };
  const who = conflict?.by || "somebody else";
  return (
    <Dialog
      open={conflict !== null}
      onOpenChange={(open) => !open && close()}
      title={`“${name}” was saved elsewhere meanwhile`}
      description={
        conflict &&
        `Version ${conflict.revision} was saved by ${who} ${relativeTime(conflict.at)}${conflict.note ? `: “${conflict.note}”` : ""}. Your changes are still here, unsaved.`
      }
      width={seen ? "large" : "medium"}
      actions={
        <>
          <Button busy={taking} onClick={() => void take()}>
            Take theirs
          </Button>
          <Button
            onClick={() => {
              setSeen(false);
              session.askCopy(true);
            }}
          >
            Save as copy…
          </Button>
          <Button kind="danger" busy={saving} onClick={() => void session.overwrite().then(() => setSeen(false))}>
            Overwrite with mine
          </Button>
          {!seen && (
            <Button kind="primary" onClick={() => setSeen(true)}>
              See differences
            </Button>
          )}
        </>
      }
    >
      {conflict &&
        (seen ? (
          <Changes conflict={conflict} />
        ) : (
          <p>
            Look at what differs first. “Overwrite with mine” makes yours the newest version; theirs stays in the
            version history. “Take theirs” puts their version here; undo brings yours back.
          </p>
        ))}
    </Dialog>
  );
}
