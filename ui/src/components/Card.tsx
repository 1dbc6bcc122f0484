import type { ReactNode } from "react";
import styles from "./Card.module.css";
import { cx } from "./cx";

interface CardProps {
  title?: ReactNode;
  /** What stands at the right of the title. */
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
  /** Gives the content the card's own padding. */
  padded?: boolean;
}

/** A surface with a head. */
export function Card({ title, aside, children, className, padded }: CardProps) {
  return (
    <section className={cx(styles.card, className)}>
      {(title || aside) && (
        <header className={styles.head}>
          {title && <h2>{title}</h2>}
          {aside && <div className={styles.aside}>{aside}</div>}
        </header>
      )}
      {padded ? <div className={styles.padded}>{children}</div> : children}
    </section>
  );
}
