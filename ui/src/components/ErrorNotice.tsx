import { Check, Copy, X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { ApiError, NetworkError } from "../api/client";
import { announce } from "./announce";
import { Button, IconButton } from "./Button";
import styles from "./ErrorNotice.module.css";
import { StatusIcon } from "./StatusIcon";

interface Told {
  /** What happened. */
  title: string;
  /** What to do. */
  remedy: string;
}

/** What an error means for the person in front of the page. */
export function tell(error: unknown, doing: string): Told {
  if (error instanceof NetworkError) {
    return {
      title: `${doing}: the server did not answer.`,
      remedy: "Check that it runs and that you are connected, then try again.",
    };
  }
  if (error instanceof ApiError) {
    const title = `${doing}: ${lowerFirst(error.message)}`;
    switch (error.status) {
      case 401:
        return { title: `${doing}: you are signed out.`, remedy: "Sign in again; what you typed is kept." };
      case 403:
        return { title, remedy: "Your role lacks the right. Ask an administrator." };
      case 404:
        return { title, remedy: "It may have been deleted meanwhile. Go back to the list." };
      case 409:
      case 412:
        return { title, remedy: "Something changed meanwhile. Look at it again, then decide." };
      case 413:
        return { title, remedy: "Make it smaller, then try again." };
      case 429:
      case 503:
        return { title, remedy: "Wait a moment, then try again." };
    }
    if (error.status >= 500)
      return { title, remedy: "Try again. If it stays, give the request id to whoever runs the server." };
    return { title, remedy: "Correct it, then try again." };
  }
  return {
    title: `${doing}: something in this page went wrong.`,
    remedy: "Reload the page. What you typed in a draft is kept.",
  };
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}

/** The request id of an error, with a button that copies it. */
export function RequestId({ error }: { error: unknown }) {
  const [copied, setCopied] = useState(false);
  const id = error instanceof ApiError ? error.requestId : undefined;
  if (!id) return null;
  return (
    <Button
      kind="quiet"
      size="small"
      icon={copied ? <Check /> : <Copy />}
      onClick={() => navigator.clipboard.writeText(id).then(() => setCopied(true))}
    >
      {copied ? "Copied" : "Copy request id"}
    </Button>
  );
}

interface ErrorNoticeProps {
  error: unknown;
  /** What failed, without a full stop: "The workflows could not be loaded". */
  doing: string;
  onRetry?: () => void;
  retrying?: boolean;
  /** Lets it be put away, where nothing else does that. */
  onClose?: () => void;
  children?: ReactNode;
}

/** What happened, what to do, and a request id to copy. */
export function ErrorNotice({ error, doing, onRetry, retrying, onClose, children }: ErrorNoticeProps) {
  const { title, remedy } = tell(error, doing);
  const items = error instanceof ApiError ? error.items.slice(0, 8) : [];
  const more = error instanceof ApiError ? error.items.length - items.length : 0;
  const id = useId();
  const text = [title, ...items.map(({ message }) => message), more > 0 && `and ${more} more`, remedy];
  const spoken = text.filter(Boolean).join(" ");
  const said = useRef("");
  const retried = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same words are said again where one tried again in vain.
  useEffect(() => {
    if (spoken !== said.current || retried.current) announce(spoken, "assertive");
    said.current = spoken;
    retried.current = false;
  }, [spoken, error]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms.
    <div className={styles.notice} role="group" aria-labelledby={id} data-status="failed">
      <StatusIcon status="failed" size={18} />
      <div className={styles.text}>
        <p className={styles.title} id={id}>
          {title}
        </p>
        {items.length > 0 && (
          <ul className={styles.items}>
            {items.map((item) => (
              <li key={`${item.pointer} ${item.code} ${item.message}`}>
                {item.message}
                {item.pointer && <code>{item.pointer}</code>}
              </li>
            ))}
            {more > 0 && <li>and {more} more</li>}
          </ul>
        )}
        <p>{remedy}</p>
        {children}
        <div className={styles.actions}>
          {onRetry && (
            <Button
              size="small"
              busy={retrying}
              onClick={() => {
                retried.current = true;
                onRetry();
              }}
            >
              Try again
            </Button>
          )}
          <RequestId error={error} />
        </div>
      </div>
      {onClose && <IconButton label="Close this notice" icon={<X />} size="small" onClick={onClose} />}
    </div>
  );
}
