import { FileInput } from "lucide-react";
import { type DragEvent, useEffect, useMemo, useRef, useState } from "react";
import type { Definition } from "../../../api/types";
import { useAnnounced } from "../../../components/announce";
import { Button } from "../../../components/Button";
import { ChangeList } from "../../../components/ChangeList";
import { cx } from "../../../components/cx";
import { Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Field, fieldStyles } from "../../../components/Field";
import { Spinner } from "../../../components/Spinner";
import { differences } from "../../../lib/differences";
import { count } from "../../../lib/text";
import { GraphPicture } from "./GraphPicture";
import styles from "./ImportDialog.module.css";
import { ProblemTexts, problemCount } from "./ProblemTexts";
import type { Read } from "./reading";

const pause = 350;

interface ImportDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** What is open now, where the file is to take its place. */
  current?: Definition;
  onImport: (document: Definition, text: string) => void;
}

/** What a text would become, once the typing pauses. */
function useReading(text: string): { read: Read | null; busy: boolean; error: unknown } {
  const [result, setResult] = useState<{ of: string; read: Read | null; error: unknown }>({
    of: "",
    read: null,
    error: null,
  });
  useEffect(() => {
    if (text.trim() === "") return;
    let stale = false;
    const timer = setTimeout(async () => {
      try {
        const { readFile } = await import("./reading");
        const read = await readFile(text);
        if (!stale) setResult({ of: text, read, error: null });
      } catch (error) {
        if (!stale) setResult({ of: text, read: null, error });
      }
    }, pause);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [text]);
  if (text.trim() === "") return { read: null, busy: false, error: null };
  const fresh = result.of === text;
  return { read: fresh ? result.read : null, busy: !fresh, error: fresh ? result.error : null };
}

const cannot = "It can't be opened before that is put right.";

/** What the preview shows, in a few words. */
function summary({ document, errors, warnings }: Read): string {
  const problems = problemCount(errors, warnings);
  if (!document) return `${problems}. ${cannot}`;
  return `${document.name || "Unnamed workflow"}, ${count(document.steps.length, "step")}. ${problems}`;
}

function Preview({ read, current }: { read: Read; current?: Definition }) {
  const { document, errors, warnings } = read;
  const changes = useMemo(() => current && document && differences(current, document), [current, document]);
  return (
    <section className={styles.preview} aria-label="Preview">
      {document && (
        <>
          <GraphPicture steps={document.steps} height={72} />
          <p className={styles.name}>
            {document.name || "Unnamed workflow"} <span>{count(document.steps.length, "step")}</span>
          </p>
          {document.description && <p>{document.description}</p>}
        </>
      )}
      <ProblemTexts errors={errors} warnings={warnings} />
      {!document && <p className={styles.cannot}>{cannot}</p>}
      {document && errors.length > 0 && (
        <p>It can be opened and saved as a draft; it can't be executed before these are put right.</p>
      )}
      {changes && (
        <>
          <h3>What changes here</h3>
          <ChangeList differences={changes} label="What changes here" />
        </>
      )}
    </section>
  );
}

function Content({ current, onImport, onOpenChange }: Omit<ImportDialogProps, "open">) {
  const [text, setText] = useState("");
  const [over, setOver] = useState(false);
  const [name, setName] = useState("");
  const file = useRef<HTMLInputElement>(null);
  const { read, busy, error } = useReading(text);
  const take = async (chosen: File | undefined) => {
    if (!chosen) return;
    setName(chosen.name);
    setText(await chosen.text());
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const [dropped] = event.dataTransfer.files;
    if (dropped) void take(dropped);
    else if (event.dataTransfer.getData("text/plain")) setText(event.dataTransfer.getData("text/plain"));
  };
  useAnnounced(read ? summary(read) : "");
  const ready = read?.document !== undefined && read.text !== undefined;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping has the button and the field beside it.
    <div
      className={cx(styles.content, over && styles.over)}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setOver(false)}
      onDrop={drop}
    >
      <div className={styles.choose}>
        <input
          ref={file}
          type="file"
          accept=".yaml,.yml,.json,application/yaml,application/json"
          className="visually-hidden"
          aria-label="File"
          tabIndex={-1}
          onChange={(event) => void take(event.target.files?.[0])}
        />
        <Button icon={<FileInput />} onClick={() => file.current?.click()}>
          Choose a file…
        </Button>
        <span className={styles.hint}>{name || "or drop one here, or paste its text below"}</span>
      </div>
      <Field label="YAML or JSON">
        {(control) => (
          <textarea
            {...control}
            className={cx(fieldStyles.control, fieldStyles.mono, styles.text)}
            rows={8}
            spellCheck={false}
            value={text}
            onChange={(event) => {
              setName("");
              setText(event.target.value);
            }}
          />
        )}
      </Field>
      {busy && (
        <p className={styles.busy}>
          <Spinner /> Reading…
        </p>
      )}
      {error !== null && <ErrorNotice error={error} doing="The text could not be checked" />}
      {read && <Preview read={read} current={current} />}
      <div className={styles.actions}>
        <Button onClick={() => onOpenChange(false)}>Cancel</Button>
        <Button
          kind="primary"
          disabled={!ready}
          onClick={() => {
            if (!ready) return;
            onImport(read.document!, read.text!);
            onOpenChange(false);
          }}
        >
          {current ? "Replace what is here" : "Open in the designer"}
        </Button>
      </div>
    </div>
  );
}

/** Brings a file in: by choosing, dropping or pasting it. Nothing changes before its preview was agreed to. */
export default function ImportDialog({ open, onOpenChange, current, onImport }: ImportDialogProps) {
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="Import a workflow"
      description={
        current
          ? "The file takes the place of what is open here, as one step that undo takes back. Nothing is saved by it."
          : "The file opens as a new workflow that is not saved yet."
      }
    >
      <Content current={current} onImport={onImport} onOpenChange={onOpenChange} />
    </Dialog>
  );
}
