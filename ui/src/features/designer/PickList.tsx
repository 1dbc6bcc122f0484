// A field with a list below it that the field narrows: the list of steps to
// add, and of steps to connect to. Arrows move, Enter picks; the focus stays
// in the field.
import { Search } from "lucide-react";
import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useId, useMemo, useRef, useState } from "react";
import { useAnnounced } from "../../components/announce";
import { cx } from "../../components/cx";
import { fieldStyles } from "../../components/Field";
import { byRank, rankOf } from "../../lib/ranking";
import { count, matches } from "../../lib/text";
import styles from "./PickList.module.css";

/** More than these are not drawn; the field narrows them. */
const most = 80;

export interface PickItem {
  id: string;
  label: string;
  /** A second line. */
  hint?: string;
  icon?: ReactNode;
  /** The heading that it stands under; items of a group follow one another. */
  group?: string;
  /** What stands at the right. */
  aside?: string;
  /** Further words that are found. */
  words?: string;
  /** Why it can't be picked. It is shown in place of the hint. */
  refused?: string;
}

interface PickListProps {
  /** What the field asks for: "Search steps". */
  label: string;
  items: readonly PickItem[];
  onPick: (id: string) => void;
  /** What is said where nothing is found. */
  nothing: string;
  /** The field, for a dialog that gives it the focus at first. */
  field?: RefObject<HTMLInputElement | null>;
}

/** Items in runs of one group. */
function runs(items: readonly PickItem[]): { group: string | undefined; items: PickItem[] }[] {
  const result: { group: string | undefined; items: PickItem[] }[] = [];
  for (const item of items) {
    const last = result.at(-1);
    if (last && last.group === item.group) last.items.push(item);
    else result.push({ group: item.group, items: [item] });
  }
  return result;
}

export function PickList({ label, items, onPick, nothing, field }: PickListProps) {
  const id = useId();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const found = useMemo(() => {
    const all = items.filter((item) => matches(query, item.label, item.hint, item.words, item.group));
    const rank = (item: PickItem) => rankOf(query, item.label, item.words, item.hint);
    return query.trim() ? byRank(all, rank, (item) => item.group ?? "") : all;
  }, [items, query]);
  const shown = found.slice(0, most);
  const active = shown[Math.min(at, shown.length - 1)];
  const more = found.length - shown.length;
  const note = shown.length === 0 ? nothing : more > 0 ? `${count(more, "more", "more")}: type to narrow the list` : "";
  useAnnounced(note);
  const optionId = (item: PickItem) => `${id}-${item.group ?? ""}-${item.id}`;

  useEffect(() => {
    if (active) list.current?.querySelector('[data-active="true"]')?.scrollIntoView({ block: "nearest" });
  }, [active]);

  const onKeyDown = (event: KeyboardEvent) => {
    const by: { [key: string]: number } = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const step = by[event.key];
    if (step !== undefined && shown.length > 0) {
      event.preventDefault();
      const from = Math.min(at, shown.length - 1);
      const one = Math.abs(step) === 1;
      setAt(one ? (from + step + shown.length) % shown.length : Math.max(0, Math.min(shown.length - 1, from + step)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (active && !active.refused) onPick(active.id);
    }
  };

  return (
    <div className={styles.pick}>
      <div className={styles.search}>
        <Search size={16} aria-hidden="true" />
        <input
          ref={field}
          className={cx(fieldStyles.control, styles.input)}
          role="combobox"
          aria-label={label}
          aria-expanded="true"
          aria-autocomplete="list"
          aria-controls={`${id}-list`}
          aria-activedescendant={active ? optionId(active) : undefined}
          placeholder={label}
          autoComplete="off"
          spellCheck={false}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div ref={list} id={`${id}-list`} className={styles.list} role="listbox" aria-label={label}>
        {runs(shown).map((run) => (
          <Group key={`${run.group} ${run.items[0]!.id}`} name={run.group}>
            {run.items.map((item) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the field's.
              // biome-ignore lint/a11y/useFocusableInteractive: the field has the focus.
              <div
                key={item.id}
                id={optionId(item)}
                className={styles.item}
                role="option"
                aria-selected={item === active}
                aria-disabled={item.refused ? true : undefined}
                data-active={item === active}
                onPointerMove={() => setAt(shown.indexOf(item))}
                onClick={() => !item.refused && onPick(item.id)}
              >
                {item.icon && <span className={styles.icon}>{item.icon}</span>}
                <span className={styles.texts}>
                  <span className={styles.label}>{item.label}</span>
                  {(item.refused ?? item.hint) && <span className={styles.hint}>{item.refused ?? item.hint}</span>}
                </span>
                {item.aside && <span className={styles.aside}>{item.aside}</span>}
              </div>
            ))}
          </Group>
        ))}
      </div>
      <p className={styles.note}>{note}</p>
    </div>
  );
}

function Group({ name, children }: { name: string | undefined; children: ReactNode }) {
  const id = useId();
  if (name === undefined) return children;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a listbox.
    <div role="group" aria-labelledby={id}>
      <div id={id} className={styles.group}>
        {name}
      </div>
      {children}
    </div>
  );
}
