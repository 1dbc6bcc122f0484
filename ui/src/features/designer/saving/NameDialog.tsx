import { type FormEvent, useState } from "react";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Field, fieldStyles } from "../../../components/Field";
import styles from "./NameDialog.module.css";

interface NameDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description: string;
  label: string;
  hint?: string;
  start: string;
  required?: boolean;
  confirm: string;
  busyText: string;
  failed: string;
  /** Does it; its error is shown and leaves the dialog open. */
  onConfirm: (text: string) => Promise<void>;
}

function Form({ label, hint, start, required, failed, confirm, busyText, onConfirm, onOpenChange }: NameDialogProps) {
  const [text, setText] = useState(start);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const missing = required && text.trim() === "";
  const [asked, setAsked] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (missing || busy) return;
    setBusy(true);
    setError(null);
    try {
      await onConfirm(text.trim());
      onOpenChange(false);
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className={styles.form} onSubmit={(event) => void submit(event)} noValidate>
      <Field label={label} hint={hint} required={required} error={asked && missing ? "Give a name." : undefined}>
        {(control) => (
          <input
            {...control}
            className={fieldStyles.control}
            value={text}
            maxLength={200}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      {error !== null && <ErrorNotice error={error} doing={failed} />}
      <div className={styles.buttons}>
        <Button onClick={() => onOpenChange(false)}>Cancel</Button>
        <Button kind="primary" type="submit" busy={busy}>
          {busy ? busyText : confirm}
        </Button>
      </div>
    </form>
  );
}

/** Asks for one line of text, then does something with it. */
export default function NameDialog(props: NameDialogProps) {
  return (
    <Dialog
      open={props.open}
      onOpenChange={props.onOpenChange}
      title={props.title}
      description={props.description}
      width="small"
    >
      <Form {...props} />
    </Dialog>
  );
}
