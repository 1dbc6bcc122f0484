import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import styles from "./settings.module.css";

interface SectionProps {
  title: string;
  /** What stands in it, in a word or two, for when it is closed. */
  note?: ReactNode;
  /** Open at first. */
  open?: boolean;
  children: ReactNode;
}

/** A part of the settings that opens and closes. */
export function Section({ title, note, open, children }: SectionProps) {
  return (
    <details className={styles.section} open={open}>
      <summary>
        <ChevronRight className={styles.chevron} aria-hidden="true" />
        <h3>{title}</h3>
        {note && <span className={styles.note}>{note}</span>}
      </summary>
      <div className={styles.content}>{children}</div>
    </details>
  );
}
