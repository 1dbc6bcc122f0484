import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { accountQuery } from "../../api/queries";
import { type Right, whyNot } from "../../api/role";
import { cx } from "../../components/cx";
import { NotForRole } from "../../components/NotForRole";
import { Page } from "../../components/Page";
import styles from "./SettingsFrame.module.css";

const sections: { href: string; label: string; right?: Right }[] = [
  { href: "/settings", label: "General" },
  { href: "/settings/profile", label: "You" },
  { href: "/settings/tokens", label: "API tokens" },
  { href: "/settings/accounts", label: "Accounts", right: "accounts" },
  { href: "/settings/secrets", label: "Secrets", right: "secrets" },
];

interface SettingsFrameProps {
  /** The page's name; in a tab, "Settings" stands behind it. */
  title: string;
  subtitle?: ReactNode;
  actions?: ReactNode;
  /** Without it the page is not shown, and says so. */
  right?: Right;
  children: ReactNode;
}

/** One of the pages of the settings, with the way to those of the others that the person may see. */
export function SettingsFrame({ title, subtitle, actions, right, children }: SettingsFrameProps) {
  const [at] = useLocation();
  const role = useQuery(accountQuery).data?.role;
  const mayNot = right && whyNot(right, role);
  const shown = sections.filter((section) => !section.right || !whyNot(section.right, role));
  return (
    <Page
      title={title}
      documentTitle={title === "Settings" ? title : `${title} · Settings`}
      subtitle={mayNot ? undefined : subtitle}
      actions={mayNot ? undefined : actions}
    >
      <nav className={styles.sections} aria-label="Settings">
        {shown.map(({ href, label }) => {
          const here = at.replace(/\/$/, "") === href;
          return (
            <Link
              key={href}
              href={href}
              className={cx(styles.section, here && styles.here)}
              aria-current={here ? "page" : undefined}
            >
              {label}
            </Link>
          );
        })}
      </nav>
      {mayNot ? <NotForRole why={mayNot} /> : children}
    </Page>
  );
}
