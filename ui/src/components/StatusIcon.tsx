import type { ReactNode } from "react";
import { isStatus, type Status } from "../api/types";
import styles from "./Status.module.css";

const circle = <circle cx="8" cy="8" r="6.2" />;

/** The drawing of each word, so that colour alone never tells. */
const drawings: Record<Status, ReactNode> = {
  pending: <circle cx="8" cy="8" r="6.2" strokeDasharray="2.4 2.4" />,
  queued: <path d="M2.5 4h11M2.5 8h11M2.5 12h6" />,
  running: <path d="M14.2 8A6.2 6.2 0 1 1 8 1.8" />,
  paused: (
    <>
      {circle}
      <path d="M6.4 5.8v4.4m3.2-4.4v4.4" />
    </>
  ),
  waiting: (
    <>
      {circle}
      <path d="M8 4.6V8l2.2 1.6" />
    </>
  ),
  retrying: <path d="M13.6 5.5A6.2 6.2 0 1 0 14.2 8m-.4-5.2v2.9h-2.9" />,
  interrupted: (
    <>
      <path d="M8 1.8 14.6 13.6H1.4Z" />
      <path d="M8 6.4v3.2m0 1.8v.1" />
    </>
  ),
  success: (
    <>
      {circle}
      <path d="m5.2 8.2 2 2 3.6-4.2" />
    </>
  ),
  partial: (
    <>
      {circle}
      <path d="M8 1.8v12.4M8 5h4.6M8 8h6M8 11h4.6" />
    </>
  ),
  failed: (
    <>
      {circle}
      <path d="m5.8 5.8 4.4 4.4m0-4.4-4.4 4.4" />
    </>
  ),
  skipped: <path d="m3 4 5.4 4L3 12Zm10-.4v8.8" />,
  cancelled: (
    <>
      {circle}
      <path d="m3.8 12.2 8.4-8.4" />
    </>
  ),
  undone: <path d="M3 6.2h6.4a3.6 3.6 0 0 1 0 7.2H6M3 6.2l2.8-2.8M3 6.2 5.8 9" />,
};

/** The icon of a status. A word that is not known shows as pending. */
export function StatusIcon({ status, size = 16 }: { status: string; size?: number }) {
  const known = isStatus(status) ? status : "pending";
  return (
    <svg
      className={styles.icon}
      data-status={known}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {drawings[known]}
    </svg>
  );
}
