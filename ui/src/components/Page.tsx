import { type ReactNode, useEffect } from "react";
import { cx } from "./cx";
import styles from "./Page.module.css";

/** Sets the document's title. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · VWMP` : "VWMP";
  }, [title]);
}

interface PageProps {
  title: string;
  /** What stands in the tab, where it is not the heading. */
  documentTitle?: string;
  subtitle?: ReactNode;
  actions?: ReactNode;
  /** Uses the whole width. */
  wide?: boolean;
  children: ReactNode;
}

/** A page with its one h1. The main landmark is the shell's. */
export function Page({ title, documentTitle, subtitle, actions, wide, children }: PageProps) {
  useTitle(documentTitle ?? title);
  return (
    <div className={cx(styles.page, wide && styles.wide)}>
      <header className={styles.head}>
        <div className={styles.titles}>
          <h1>{title}</h1>
          {subtitle && <p className={styles.subtitle}>{subtitle}</p>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}
