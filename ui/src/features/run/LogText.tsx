import { memo, type ReactNode } from "react";
import { isPlain, parseAnsi } from "./ansi";
import styles from "./LogText.module.css";

interface LogTextProps {
  text: string;
  /** A text to be marked wherever it stands, without regard to case. */
  mark?: string;
}

/** A text that a program wrote, in its colours and as nothing but text. */
export const LogText = memo(function LogText({ text, mark = "" }: LogTextProps) {
  if (isPlain(text)) return <>{marked(text, mark)}</>;
  let at = 0;
  return parseAnsi(text).map((segment) => {
    const key = at;
    at += segment.text.length;
    return (
      <span key={key} className={segment.looks.map((look) => styles[camel(look)]).join(" ")}>
        {marked(segment.text, mark)}
      </span>
    );
  });
});

function camel(look: string): string {
  return look.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function marked(text: string, mark: string): ReactNode {
  if (!mark) return text;
  const lower = text.toLocaleLowerCase();
  const wanted = mark.toLocaleLowerCase();
  // A few letters change their number in lower case; such a text is left unmarked.
  if (lower.length !== text.length) return text;
  const parts: ReactNode[] = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    if (at > from) parts.push(text.slice(from, at));
    from = at + wanted.length;
    parts.push(
      <mark key={at} className={styles.found}>
        {text.slice(at, from)}
      </mark>,
    );
  }
  if (parts.length === 0) return text;
  parts.push(text.slice(from));
  return parts;
}
