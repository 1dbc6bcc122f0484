import type { ReactNode } from "react";
import styles from "./Badge.module.css";
import { cx } from "./cx";

interface BadgeProps {
  tone?: "calm" | "good" | "busy" | "warn" | "bad";
  children: ReactNode;
}

/** The state of a thing that is no execution: a word with a mark whose shape differs too. */
export function Badge({ tone = "calm", children }: BadgeProps) {
  return <span className={cx(styles.badge, tone !== "calm" && styles[tone])}>{children}</span>;
}
