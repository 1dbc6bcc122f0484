import { AlertDialog as Base } from "@base-ui/react/alert-dialog";
import { type ReactNode, useRef } from "react";
import { Button } from "./Button";
import { cx } from "./cx";
import styles from "./Dialog.module.css";
import { FirstFocus } from "./FirstFocus";

interface AlertDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** The question, naming what it is about. */
  title: string;
  /** What happens, and that it can't be taken back where that is so. */
  children: ReactNode;
  /** The verb: "Delete workflow". */
  confirm: string;
  /** The verb while it runs: "Deleting…". */
  busyText?: string;
  busy?: boolean;
  cancel?: string;
  danger?: boolean;
  onConfirm: () => void;
}

/** Asks before something is lost. The safe button has the focus. */
export function AlertDialog({
  open,
  onOpenChange,
  title,
  children,
  confirm,
  busyText,
  busy,
  cancel = "Cancel",
  danger = true,
  onConfirm,
}: AlertDialogProps) {
  const safe = useRef<HTMLButtonElement>(null);
  return (
    <Base.Root open={open} onOpenChange={(next) => !busy && onOpenChange(next)}>
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup className={cx(styles.popup, styles.small)} initialFocus={safe}>
          <FirstFocus on={safe} />
          <header className={styles.head}>
            <Base.Title className={styles.title}>{title}</Base.Title>
          </header>
          <Base.Description className={styles.body} render={<div />}>
            {children}
          </Base.Description>
          <footer className={styles.actions}>
            <Base.Close render={<Button ref={safe}>{cancel}</Button>} />
            <Button kind={danger ? "danger" : "primary"} busy={busy} onClick={onConfirm}>
              {busy && busyText ? busyText : confirm}
            </Button>
          </footer>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
