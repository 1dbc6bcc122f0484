import { type ComponentProps, type KeyboardEvent, type RefObject, useEffect, useId, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { cx } from "../../components/cx";
import { fieldStyles } from "../../components/Field";
import styles from "./VariableInput.module.css";
import { matching, type Variable } from "./variables";

type Box = HTMLInputElement | HTMLTextAreaElement;

interface VariableInputProps {
  value: string;
  onChange: (text: string) => void;
  variables: readonly Variable[] | null;
  /** Whole values to choose from, where the text is empty or begins like one. */
  suggestions?: readonly { value: string; label?: string }[];
  multiline?: boolean;
  mono?: boolean;
  type?: "text" | "password";
  pointer?: string;
  boxRef?: RefObject<Box | null>;
  onBlur?: () => void;
  control: Pick<
    ComponentProps<"input">,
    "id" | "aria-describedby" | "aria-invalid" | "aria-required" | "aria-label" | "placeholder" | "disabled"
  > & { inputMode?: "decimal" | "numeric" };
}

interface Option {
  key: string;
  title: string;
  type: string;
  description: string;
  /** What takes the place of the text from start to end. */
  insert: string;
  start: number;
  end: number;
}

/** The reference that is being typed at the caret: where it begins, and what stands after ${. */
function typedReference(text: string, caret: number): { start: number; query: string } | undefined {
  const start = text.lastIndexOf("${", caret - 1);
  if (start < 0 || caret < start + 2 || text[start - 1] === "$") return undefined;
  const query = text.slice(start + 2, caret);
  return /^[\w.\-[\]" ]*$/.test(query) ? { start, query } : undefined;
}

function optionsAt(text: string, caret: number, props: VariableInputProps): Option[] {
  const typed = props.variables && typedReference(text, caret);
  if (typed) {
    // What stands right after the caret of the same reference goes too.
    const rest = /^[\w.\-[\]"]*\}?/.exec(text.slice(caret))?.[0].length ?? 0;
    return matching(props.variables!, typed.query).map((variable) => ({
      key: variable.path,
      title: variable.path,
      type: variable.type,
      description: variable.description,
      insert: `\${${variable.path}}`,
      start: typed.start,
      end: caret + rest,
    }));
  }
  const word = text.toLowerCase();
  return (props.suggestions ?? [])
    .filter(({ value, label }) => value !== text && `${value} ${label ?? ""}`.toLowerCase().includes(word))
    .slice(0, 60)
    .map(({ value, label }) => ({
      key: value,
      title: value,
      type: "",
      description: label && label !== value ? label : "",
      insert: value,
      start: 0,
      end: text.length,
    }));
}

/** Puts a text in the place of another as if it were typed, so that Undo in the field takes it back. */
export function typeInto(box: Box, text: string, start: number, end: number, onChange: (text: string) => void): void {
  box.focus();
  box.setSelectionRange(start, end);
  const typed = typeof document.execCommand === "function" && document.execCommand("insertText", false, text);
  if (typed) return;
  // The field has the text, and the caret stands behind it, before the next key comes.
  flushSync(() => onChange(box.value.slice(0, start) + text + box.value.slice(end)));
  box.setSelectionRange(start + text.length, start + text.length);
}

/** A text field that suggests variables once ${ is typed. */
export function VariableInput(props: VariableInputProps) {
  const { value, onChange, multiline, mono, type = "text", pointer, control, boxRef } = props;
  const own = useRef<Box>(null);
  const box = boxRef ?? own;
  const listId = useId();
  const [caret, setCaret] = useState<number | null>(null);
  const [active, setActive] = useState(0);
  const options = caret === null ? [] : optionsAt(value, caret, props);
  const open = options.length > 0;
  const chosen = Math.min(active, options.length - 1);
  const suggests = props.variables !== null || props.suggestions !== undefined;

  const show = () => {
    setCaret(box.current?.selectionStart ?? null);
    setActive(0);
  };
  const close = () => setCaret(null);
  const take = (option: Option) => {
    if (box.current) typeInto(box.current, option.insert, option.start, option.end, onChange);
    close();
  };
  const onKeyDown = (event: KeyboardEvent<Box>) => {
    if (!open) {
      if (event.key === "ArrowDown" && (event.ctrlKey || props.suggestions) && !multiline) {
        event.preventDefault();
        show();
      }
      return;
    }
    const to = moves[event.key]?.(chosen, options.length);
    if (to !== undefined) setActive(to);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) take(options[chosen]!);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const shared = {
    ...control,
    ref: box as RefObject<never>,
    value,
    "data-pointer": pointer,
    className: cx(fieldStyles.control, mono && fieldStyles.mono),
    autoComplete: "off",
    spellCheck: mono ? false : undefined,
    onKeyDown,
    onChange: (event: { target: Box }) => {
      onChange(event.target.value);
      show();
    },
    onClick: () => caret !== null && show(),
    onBlur: () => {
      close();
      props.onBlur?.();
    },
    ...(suggests && {
      "aria-autocomplete": "list" as const,
      "aria-controls": open ? listId : undefined,
      "aria-activedescendant": open ? `${listId}-${chosen}` : undefined,
    }),
  };
  return (
    <div className={styles.box}>
      {multiline ? (
        <textarea rows={Math.min(12, Math.max(3, value.split("\n").length))} {...shared} />
      ) : (
        <input type={type} {...shared} {...(suggests && { role: "combobox", "aria-expanded": open })} />
      )}
      {open && <Options id={listId} options={options} chosen={chosen} onTake={take} />}
    </div>
  );
}

const moves: { [key: string]: (at: number, length: number) => number } = {
  ArrowDown: (at, length) => (at + 1) % length,
  ArrowUp: (at, length) => (at - 1 + length) % length,
  PageDown: (at, length) => Math.min(at + 6, length - 1),
  PageUp: (at) => Math.max(at - 6, 0),
};

interface OptionsProps {
  id: string;
  options: Option[];
  chosen: number;
  onTake: (option: Option) => void;
}

function Options({ id, options, chosen, onTake }: OptionsProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.scrollIntoView?.({ block: "nearest" });
  }, []);
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView?.({ block: "nearest" });
  }, [chosen]);
  return (
    <div className={styles.options} ref={list} id={id} role="listbox" aria-label="Suggestions">
      {options.map((option, index) => (
        <div
          key={option.key}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === chosen}
          className={styles.option}
          // A press would take the focus out of the field before the click.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onTake(option)}
          onKeyDown={undefined}
        >
          <span className={styles.line}>
            <code>{option.title}</code>
            {option.type && <span className={styles.type}>{option.type}</span>}
          </span>
          {option.description && <span className={styles.description}>{option.description}</span>}
        </div>
      ))}
    </div>
  );
}
