import { type KeyboardEvent, type RefObject, useEffect, useId, useMemo, useRef, useState } from "react";
import { Dialog } from "../../components/Dialog";
import { fieldStyles } from "../../components/Field";
import { matches } from "../../lib/text";
import styles from "./VariableBrowser.module.css";
import type { Variable } from "./variables";

interface VariableBrowserProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  variables: readonly Variable[];
  secretsFirst?: boolean;
  /** Where the focus goes afterwards. */
  returnTo?: RefObject<HTMLElement | null>;
  /** After it has closed: the reference that was chosen, such as ${parameters.version}. */
  onPick: (reference: string) => void;
}

/** Everything that can be named here, in groups, with type and description. */
export function VariableBrowser({
  open,
  onOpenChange,
  variables,
  secretsFirst,
  returnTo,
  onPick,
}: VariableBrowserProps) {
  const picked = useRef<string>(undefined);
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const search = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const listId = useId();
  const shown = useMemo(() => {
    const found = variables.filter(({ path, description, group }) => matches(query, path, description, group));
    if (secretsFirst) found.sort((a, b) => Number(b.secret ?? false) - Number(a.secret ?? false));
    return found;
  }, [variables, query, secretsFirst]);
  const groups = useMemo(() => grouped(shown), [shown]);
  const ordered = groups.flatMap(([, members]) => members);
  const chosen = Math.min(active, ordered.length - 1);
  useEffect(() => {
    if (open) setQuery("");
    setActive(0);
  }, [open]);
  useEffect(() => {
    list.current?.querySelector(`[data-index="${chosen}"]`)?.scrollIntoView?.({ block: "nearest" });
  }, [chosen]);
  const pick = (reference: string) => {
    picked.current = reference;
    onOpenChange(false);
  };
  const onClosed = () => {
    const reference = picked.current;
    picked.current = undefined;
    if (reference !== undefined) onPick(reference);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setActive(Math.min(chosen + 1, ordered.length - 1));
    else if (event.key === "ArrowUp") setActive(Math.max(chosen - 1, 0));
    else if (event.key === "Enter" && ordered[chosen]) pick(`\${${ordered[chosen].path}}`);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="Insert a variable"
      description="The value is put in when the step starts."
      initialFocus={search}
      finalFocus={returnTo}
      onClosed={onClosed}
    >
      <div className={styles.body}>
        <input
          ref={search}
          className={fieldStyles.control}
          type="text"
          role="combobox"
          aria-label="Search variables"
          aria-expanded={ordered.length > 0}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={ordered.length > 0 ? `${listId}-${chosen}` : undefined}
          placeholder="Search by name or description"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={onKeyDown}
        />
        {ordered.length === 0 && (
          <p className={styles.none}>
            {variables.length === 0
              ? "There is nothing to name yet. Declare parameters, or add steps before this one."
              : `Nothing matches “${query}”.`}
          </p>
        )}
        <div className={styles.list} id={listId} role="listbox" aria-label="Variables" ref={list} tabIndex={-1}>
          {groups.map(([group, members]) => (
            // biome-ignore lint/a11y/useSemanticElements: a group of options has no element of its own outside select.
            <div key={group} role="group" aria-label={group}>
              <p className={styles.group} aria-hidden="true">
                {group}
              </p>
              {members.map((variable) => (
                <VariableOption
                  key={variable.path}
                  id={listId}
                  index={ordered.indexOf(variable)}
                  chosen={ordered.indexOf(variable) === chosen}
                  variable={variable}
                  onPick={pick}
                />
              ))}
            </div>
          ))}
        </div>
      </div>
    </Dialog>
  );
}

function grouped(variables: readonly Variable[]): [string, Variable[]][] {
  const groups = new Map<string, Variable[]>();
  for (const variable of variables) {
    const members = groups.get(variable.group);
    if (members) members.push(variable);
    else groups.set(variable.group, [variable]);
  }
  return [...groups];
}

interface VariableOptionProps {
  id: string;
  index: number;
  chosen: boolean;
  variable: Variable;
  onPick: (reference: string) => void;
}

function VariableOption({ id, index, chosen, variable, onPick }: VariableOptionProps) {
  return (
    <div
      id={`${id}-${index}`}
      data-index={index}
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      className={styles.option}
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => onPick(`\${${variable.path}}`)}
      onKeyDown={undefined}
    >
      <code>{variable.path}</code>
      <span className={styles.type}>{variable.type}</span>
      {variable.description && <span className={styles.description}>{variable.description}</span>}
    </div>
  );
}
