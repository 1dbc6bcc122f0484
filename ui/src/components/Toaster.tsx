import { Toast as Base } from "@base-ui/react/toast";
import { Info, X } from "lucide-react";
import { Link } from "wouter";
import { IconButton } from "./Button";
import { StatusIcon } from "./StatusIcon";
import styles from "./Toaster.module.css";
import { type ToastData, toasts } from "./toast";

function Icon({ kind }: { kind: ToastData["kind"] }) {
  if (kind === "info") return <Info size={18} aria-hidden="true" />;
  return <StatusIcon status={kind === "error" ? "failed" : "success"} size={18} />;
}

function Toasts() {
  const manager = Base.useToastManager<ToastData>();
  return manager.toasts.map((shown) => {
    const { kind = "info", action, urgent } = shown.data ?? {};
    return (
      <Base.Root
        key={shown.id}
        toast={shown}
        className={styles.toast}
        swipeDirection={["right", "down"]}
        role={urgent ? "alertdialog" : "dialog"}
      >
        <Base.Content className={styles.content}>
          <span
            className={styles.icon}
            data-status={kind === "error" ? "failed" : kind === "success" ? "success" : "running"}
          >
            <Icon kind={kind} />
          </span>
          <div className={styles.text}>
            <Base.Title className={styles.title} />
            <Base.Description className={styles.description} />
          </div>
          {action?.href && (
            <Link href={action.href} className={styles.action} onClick={() => manager.close(shown.id)}>
              {action.label}
            </Link>
          )}
          {action?.onClick && (
            <button
              type="button"
              className={styles.action}
              onClick={() => {
                action.onClick?.();
                manager.close(shown.id);
              }}
            >
              {action.label}
            </button>
          )}
          {/* The library hides it from screen readers until the focus comes. */}
          <Base.Close aria-hidden={false} render={<IconButton label="Close the message" icon={<X />} size="small" />} />
        </Base.Content>
      </Base.Root>
    );
  });
}

/** Where the messages of toast() appear. Stands once, in the shell. */
export function Toaster() {
  return (
    <Base.Provider toastManager={toasts} limit={3}>
      <Base.Portal>
        {/* toast() says them in the live regions. */}
        <Base.Viewport className={styles.viewport} aria-live="off">
          <Toasts />
        </Base.Viewport>
      </Base.Portal>
    </Base.Provider>
  );
}
