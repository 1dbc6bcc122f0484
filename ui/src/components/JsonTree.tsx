import { ChevronRight } from "lucide-react";
import { useState } from "react";
import type { Json } from "../api/types";
import { count } from "../lib/text";
import styles from "./JsonTree.module.css";

/** How many entries of a map or list are drawn at once. */
const pageSize = 100;
/** How much of a text is drawn at once, in characters. */
const textSize = 600;

interface JsonTreeProps {
  value: Json;
  /** How many levels are open at first. */
  open?: number;
  /** Writes a text as it may be shown. */
  shown?: (text: string) => string;
}

const asItIs = (text: string) => text;

/** A JSON value whose maps and lists open and close. */
export function JsonTree({ value, open = 2, shown = asItIs }: JsonTreeProps) {
  return (
    <div className={styles.tree}>
      <Node value={value} open={open} shown={shown} />
    </div>
  );
}

interface NodeProps extends Required<Omit<JsonTreeProps, "value">> {
  name?: string;
  value: Json;
}

function Node({ name, value, open, shown }: NodeProps) {
  if (typeof value === "object" && value !== null)
    return <Branch name={name} value={value} open={open} shown={shown} />;
  return (
    <div className={styles.leaf}>
      <Name name={name} />
      <Leaf value={value} shown={shown} />
    </div>
  );
}

function Name({ name }: { name?: string }) {
  if (name === undefined) return null;
  return (
    <>
      <span className={styles.name}>{name}</span>
      <span className={styles.mark}>: </span>
    </>
  );
}

type Branchy = Json[] | { [key: string]: Json };

function Branch({ name, value, open, shown }: Omit<NodeProps, "value"> & { value: Branchy }) {
  const list = Array.isArray(value);
  const size = list ? value.length : Object.keys(value).length;
  const [isOpen, setOpen] = useState(open > 0);
  const [limit, setLimit] = useState(pageSize);
  if (size === 0) {
    return (
      <div className={styles.leaf}>
        <Name name={name} />
        <span className={styles.mark}>{list ? "[ ]" : "{ }"}</span>
      </div>
    );
  }
  const entries: [string, Json][] = isOpen
    ? list
      ? value.slice(0, limit).map((each, index) => [String(index), each])
      : Object.entries(value).slice(0, limit)
    : [];
  return (
    <div>
      <button type="button" className={styles.toggle} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <ChevronRight aria-hidden="true" />
        <span>
          <Name name={name} />
          <span className={styles.mark}>{list ? `[${count(size, "item")}]` : `{${count(size, "key")}}`}</span>
        </span>
      </button>
      {isOpen && (
        <ul className={styles.children}>
          {entries.map(([key, each]) => (
            <li key={key}>
              <Node name={key} value={each} open={open - 1} shown={shown} />
            </li>
          ))}
          {size > limit && (
            <li>
              <button type="button" className={styles.more} onClick={() => setLimit(limit + pageSize)}>
                Show {Math.min(pageSize, size - limit)} more of {count(size - limit, "entry", "entries")}
              </button>
            </li>
          )}
        </ul>
      )}
    </div>
  );
}

function Leaf({ value, shown }: { value: Exclude<Json, object>; shown: (text: string) => string }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== "string")
    return <span className={value === null ? styles.mark : styles.word}>{String(value)}</span>;
  const text = shown(value);
  const cut = !whole && text.length > textSize;
  return (
    <span className={styles.text}>
      “{cut ? text.slice(0, textSize) : text}
      {cut ? "…" : "”"}
      {cut && (
        <button type="button" className={styles.more} onClick={() => setWhole(true)}>
          Show all {count(text.length, "character")}
        </button>
      )}
    </span>
  );
}
