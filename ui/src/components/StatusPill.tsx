import { isStatus } from "../api/types";
import { capital } from "../lib/text";
import { cx } from "./cx";
import styles from "./Status.module.css";
import { StatusIcon } from "./StatusIcon";

/** A status as icon and word on its own tint. */
export function StatusPill({ status, size = "normal" }: { status: string; size?: "normal" | "small" }) {
  return (
    <span
      className={cx(styles.pill, size === "small" && styles.small)}
      data-status={isStatus(status) ? status : "pending"}
    >
      <StatusIcon status={status} size={size === "small" ? 12 : 14} />
      {capital(status)}
    </span>
  );
}
