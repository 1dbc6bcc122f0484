import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { KeyboardEventHandler, ReactNode, RefObject } from "react";
import { IconButton } from "./Button";
import { cx } from "./cx";
import styles from "./Dialog.module.css";
import { FirstFocus } from "./FirstFocus";

interface DialogProps {
  open: boolean;
  /** details tells what closed it, such as a press beside it. */
  onOpenChange: (open: boolean, details?: { reason: string }) => void;
  /** The question or the task, as a short sentence. */
  title: ReactNode;
  description?: ReactNode;
  children?: ReactNode;
  /** Buttons, the primary one last. */
  actions?: ReactNode;
  width?: "small" | "medium" | "large";
  /** false for what has to be answered: then nothing in it closes it. */
  closable?: boolean;
  initialFocus?: RefObject<HTMLElement | null>;
  /** Where the focus goes once it is closed; without it, where it was before. */
  finalFocus?: RefObject<HTMLElement | null>;
  /** Keys pressed anywhere in it. */
  onKeyDown?: KeyboardEventHandler;
  /** Called when it is gone. */
  onClosed?: () => void;
}

/** A dialog with a title, a body that scrolls and its buttons. Escape closes it. */
export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  children,
  actions,
  width = "medium",
  closable = true,
  initialFocus,
  finalFocus,
  onKeyDown,
  onClosed,
}: DialogProps) {
  return (
    <Base.Root
      open={open}
      onOpenChange={onOpenChange}
      onOpenChangeComplete={(isOpen) => {
        if (!isOpen) onClosed?.();
      }}
    >
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup
          className={cx(styles.popup, styles[width])}
          initialFocus={initialFocus}
          finalFocus={finalFocus}
          onKeyDown={onKeyDown}
        >
          {initialFocus && <FirstFocus on={initialFocus} />}
          <header className={styles.head}>
            <div>
              <Base.Title className={styles.title}>{title}</Base.Title>
              {description && <Base.Description className={styles.description}>{description}</Base.Description>}
            </div>
            {closable && <Base.Close render={<IconButton label="Close" icon={<X />} size="small" tooltip={false} />} />}
          </header>
          {children && <div className={styles.body}>{children}</div>}
          {actions && <footer className={styles.actions}>{actions}</footer>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
