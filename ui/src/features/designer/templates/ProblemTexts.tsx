import { CircleAlert, TriangleAlert } from "lucide-react";
import type { ProblemItem } from "../../../api/client";
import { count } from "../../../lib/text";
import styles from "./ProblemTexts.module.css";

const most = 50;

/** How many problems of which kind a text has. */
export function problemCount(errors: readonly unknown[], warnings: readonly unknown[]): string {
  const parts = [
    errors.length > 0 && count(errors.length, "problem"),
    warnings.length > 0 && count(warnings.length, "warning"),
  ];
  return parts.filter(Boolean).join(", ") || "No problems found.";
}

/** Problems of a text as a list, each with its line. */
export function ProblemTexts({ errors, warnings }: { errors: ProblemItem[]; warnings: ProblemItem[] }) {
  const all = [
    ...errors.map((item) => ({ item, kind: "error" as const })),
    ...warnings.map((item) => ({ item, kind: "warning" as const })),
  ];
  const words = problemCount(errors, warnings);
  if (all.length === 0) return <p className={styles.fine}>{words}</p>;
  return (
    <>
      <p className={styles.head}>{words}</p>
      <ul className={styles.list} aria-label="Problems">
        {all.slice(0, most).map(({ item, kind }) => (
          <li key={`${item.pointer} ${item.code} ${item.line} ${item.message}`} data-kind={kind}>
            {kind === "error" ? <CircleAlert aria-label="Problem" /> : <TriangleAlert aria-label="Warning" />}
            <span>
              {item.line !== undefined && <span className={styles.line}>Line {item.line}: </span>}
              {item.message}
            </span>
          </li>
        ))}
        {all.length > most && <li>and {all.length - most} more</li>}
      </ul>
    </>
  );
}
