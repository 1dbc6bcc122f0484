import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { IconButton } from "./Button";
import { cx } from "./cx";
import styles from "./Dialog.module.css";

interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** The question or the task, as a short sentence. */
  title: ReactNode;
  description?: ReactNode;
  children?: ReactNode;
  /** Buttons, the primary one last. */
  actions?: ReactNode;
  width?: "small" | "medium" | "large";
  initialFocus?: RefObject<HTMLElement | null>;
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
  initialFocus,
}: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={onOpenChange}>
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup className={cx(styles.popup, styles[width])} initialFocus={initialFocus}>
          <header className={styles.head}>
            <div>
              <Base.Title className={styles.title}>{title}</Base.Title>
              {description && <Base.Description className={styles.description}>{description}</Base.Description>}
            </div>
            <Base.Close render={<IconButton label="Close" icon={<X />} size="small" />} />
          </header>
          {children && <div className={styles.body}>{children}</div>}
          {actions && <footer className={styles.actions}>{actions}</footer>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
