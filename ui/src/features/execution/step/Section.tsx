import { type ReactNode, useState } from "react";
import styles from "./StepDetails.module.css";

interface SectionProps {
  title: string;
  aside?: ReactNode;
  /** Can be opened and closed; open at first. */
  folds?: boolean;
  open?: boolean;
  children: ReactNode;
}

/** A part of what is told of a step. What it holds is made once it is open. */
export function Section({ title, aside, folds, open = true, children }: SectionProps) {
  const [shown, setShown] = useState(open);
  if (!folds) {
    return (
      <section className={styles.section}>
        <header className={styles.sectionHead}>
          <h3>{title}</h3>
          {aside}
        </header>
        {children}
      </section>
    );
  }
  return (
    <details className={styles.section} open={shown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>
        <h3>{title}</h3>
      </summary>
      {shown && (
        <>
          {aside && <div className={styles.aside}>{aside}</div>}
          {children}
        </>
      )}
    </details>
  );
}
