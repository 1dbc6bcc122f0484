import type { ComponentProps, ReactNode } from "react";
import { Link } from "wouter";
import styles from "./Button.module.css";
import { cx } from "./cx";
import { Spinner } from "./Spinner";
import { Tooltip } from "./Tooltip";

export type ButtonKind = "primary" | "secondary" | "quiet" | "danger";

interface Look {
  kind?: ButtonKind;
  size?: "normal" | "small";
  icon?: ReactNode;
}

interface ButtonProps extends Look, ComponentProps<"button"> {
  /** Shows that the action is under way and takes no further click. */
  busy?: boolean;
}

function classes({ kind = "secondary", size = "normal" }: Look, more?: string): string {
  return cx(styles.button, styles[kind], size === "small" && styles.small, more);
}

/** A button with its verb. While busy it can't be pressed again but keeps its focus. */
export function Button({
  kind,
  size,
  icon,
  busy,
  className,
  children,
  type = "button",
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      className={classes({ kind, size }, className)}
      aria-busy={busy || undefined}
      aria-disabled={busy || rest["aria-disabled"] || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
}

interface LinkButtonProps extends Look {
  href: string;
  className?: string;
  children: ReactNode;
}

/** A link that looks like a button: it goes somewhere and changes nothing. */
export function LinkButton({ kind, size, icon, href, className, children }: LinkButtonProps) {
  return (
    <Link href={href} className={classes({ kind, size }, className)}>
      {icon}
      {children}
    </Link>
  );
}

interface IconButtonProps extends Omit<ComponentProps<"button">, "children"> {
  /** What the button does: its name and its tooltip. */
  label: string;
  /** Further words of the tooltip, such as the keys that do the same. */
  hint?: string;
  icon: ReactNode;
  /** Tiny ones stand beside a label; they are still 24 px to hit. */
  size?: "normal" | "small" | "tiny";
  bordered?: boolean;
  /** false where the icon says it all: an open tooltip would take the first Escape for itself. */
  tooltip?: boolean;
}

/** A button that shows only an icon. */
export function IconButton({
  label,
  hint,
  icon,
  size = "normal",
  bordered,
  tooltip = true,
  className,
  type = "button",
  ...rest
}: IconButtonProps) {
  const button = (
    <button
      {...rest}
      type={type}
      aria-label={label}
      className={cx(styles.icon, size !== "normal" && styles[size], bordered && styles.bordered, className)}
    >
      {icon}
    </button>
  );
  return tooltip ? <Tooltip text={hint ? `${label} (${hint})` : label}>{button}</Tooltip> : button;
}
