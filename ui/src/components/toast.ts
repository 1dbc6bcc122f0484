import { Toast } from "@base-ui/react/toast";
import { announce } from "./announce";

export interface ToastData {
  kind: "info" | "success" | "error";
  action?: { label: string; href?: string; onClick?: () => void };
  urgent?: boolean;
}

export const toasts = Toast.createToastManager<ToastData>();

interface ToastOptions {
  title: string;
  /** One line. */
  description?: string;
  kind?: ToastData["kind"];
  action?: ToastData["action"];
  /** A screen reader says it at once, as it does for an error: it answers what the person just did. */
  urgent?: boolean;
}

/** Shows a message at the bottom right for 6 s; an error stays until it is closed. */
export function toast({ title, description, kind = "info", action, urgent = kind === "error" }: ToastOptions): void {
  // No priority: the library would say an urgent one in a region of its own.
  toasts.add({ title, description, timeout: kind === "error" ? 0 : 6000, data: { kind, action, urgent } });
  announce([title, description].filter(Boolean).join(". "), urgent ? "assertive" : "polite");
}
