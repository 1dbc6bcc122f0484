import { type ComponentProps, type MouseEvent, type ReactNode, useId } from "react";
import { Link } from "wouter";
import styles from "./Button.module.css";
import { cx } from "./cx";
import { Spinner } from "./Spinner";
import { Tooltip } from "./Tooltip";
import { toast } from "./toast";

export type ButtonKind = "primary" | "secondary" | "quiet" | "danger";

interface Look {
  kind?: ButtonKind;
  size?: "normal" | "small";
  icon?: ReactNode;
}

interface ButtonProps extends Look, ComponentProps<"button"> {
  /** Shows that the action is under way and takes no further click. */
  busy?: boolean;
  /** Why it can't be used now. It keeps its focus, and says so on hover, on focus, to screen readers, and when pressed. */
  why?: string;
}

/** The attributes of a button that can't be used, and the text that they point at. */
function useReason(why: string | undefined, described: string | undefined) {
  const id = useId();
  if (!why) return { off: {}, reason: null };
  const tell = (event: MouseEvent) => {
    event.preventDefault();
    // Touch has no hover.
    toast({ title: why });
  };
  return {
    off: { "aria-disabled": true, "aria-describedby": described ? `${described} ${id}` : id, onClick: tell } as const,
    reason: (
      <span id={id} hidden>
        {why}
      </span>
    ),
  };
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
  why,
  className,
  children,
  type = "button",
  onClick,
  ...rest
}: ButtonProps) {
  const { off, reason } = useReason(why, rest["aria-describedby"]);
  const button = (
    <button
      {...rest}
      type={type}
      className={classes({ kind, size }, className)}
      aria-busy={busy || undefined}
      aria-disabled={busy || rest["aria-disabled"] || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      {...off}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
  if (!why) return button;
  return (
    <>
      <Tooltip text={why}>{button}</Tooltip>
      {reason}
    </>
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
  /** Why it can't be used now; as of a Button. */
  why?: string;
}

/** A button that shows only an icon. */
export function IconButton({
  label,
  hint,
  icon,
  size = "normal",
  bordered,
  tooltip = true,
  why,
  className,
  type = "button",
  ...rest
}: IconButtonProps) {
  const { off, reason } = useReason(why, rest["aria-describedby"]);
  const button = (
    <button
      {...rest}
      {...off}
      type={type}
      aria-label={label}
      className={cx(styles.icon, size !== "normal" && styles[size], bordered && styles.bordered, className)}
    >
      {icon}
    </button>
  );
  if (!tooltip && !why) return button;
  const text = why ? `${label}: ${why}` : hint ? `${label} (${hint})` : label;
  return (
    <>
      <Tooltip text={text}>{button}</Tooltip>
      {reason}
    </>
  );
}
