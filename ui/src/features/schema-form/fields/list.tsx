import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { Json } from "../../../api/types";
import { Button, IconButton } from "../../../components/Button";
import { FieldGroup } from "../../../components/Field";
import { below } from "../../../lib/pointer";
import { useForm, useProblem } from "../context";
import { emptyValue } from "../defaults";
import { SchemaField } from "../SchemaField";
import styles from "../SchemaForm.module.css";
import type { JsonSchema } from "../schema";
import { type FieldProps, helpOf, VariableButton } from "./frame";

const focusable = "input:not([disabled]), textarea:not([disabled]), select:not([disabled])";

/** Where the focus goes once the list is drawn: an item's first field, or one of its buttons. */
interface Target {
  index: number;
  part: "field" | "up" | "down";
}

/** Names for the items that stay with them when they move, so that drafts and focus do too. */
function useItemKeys(length: number) {
  const next = useRef(0);
  const [keys, setKeys] = useState<number[]>([]);
  let now = keys;
  if (now.length !== length) {
    now = Array.from({ length }, (_, index) => keys[index] ?? next.current++);
    setKeys(now);
  }
  return [now, setKeys] as const;
}

export function ListField({
  schema,
  label,
  pointer,
  value,
  required,
  onChange,
  aside,
  items,
}: FieldProps & { items: JsonSchema }) {
  const { disabled } = useForm();
  const list = useRef<HTMLDivElement>(null);
  const target = useRef<Target>(undefined);
  const shown = Array.isArray(value)
    ? value
    : Array.isArray(schema.default) && value === undefined
      ? schema.default
      : [];
  const [keys, setKeys] = useItemKeys(shown.length);
  const full = schema.maxItems !== undefined && shown.length >= schema.maxItems;

  useEffect(() => {
    const to = target.current;
    if (!to || !list.current) return;
    target.current = undefined;
    focusItem(list.current, to);
  });

  const change = (next: Json[], nextKeys: number[], focus: Target) => {
    target.current = focus;
    setKeys(nextKeys);
    onChange(next.length === 0 && !required && schema.default === undefined ? undefined : next);
  };
  const add = () => {
    const fresh = Math.max(-1, ...keys) + 1;
    change([...shown, emptyValue(items)], [...keys, fresh], { index: shown.length, part: "field" });
  };
  const remove = (index: number) => {
    const without = <T,>(from: readonly T[]) => from.filter((_, at) => at !== index);
    change(without(shown), without(keys), { index: Math.min(index, shown.length - 2), part: "field" });
  };
  const move = (index: number, by: -1 | 1, part: Target["part"]) => {
    const to = index + by;
    if (to < 0 || to >= shown.length) return;
    const swapped = <T,>(from: readonly T[]) => {
      const copy = [...from];
      [copy[index], copy[to]] = [copy[to]!, copy[index]!];
      return copy;
    };
    change(swapped(shown), swapped(keys), { index: to, part });
  };
  const onKeyDown = (event: KeyboardEvent, index: number) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || disabled) return;
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    event.stopPropagation();
    move(index, event.key === "ArrowUp" ? -1 : 1, "field");
  };

  return (
    <FieldGroup
      label={label}
      hint={helpOf(schema)}
      error={useProblem(pointer)}
      required={required}
      pointer={pointer}
      aside={
        <>
          <VariableButton label={label} onPick={(reference) => onChange(reference)} />
          {aside}
        </>
      }
    >
      <div className={styles.items} ref={list} hidden={shown.length === 0}>
        {shown.map((item, index) => (
          <fieldset
            key={keys[index]}
            className={styles.item}
            data-item={index}
            aria-label={`${label}, item ${index + 1} of ${shown.length}`}
            onKeyDown={(event) => onKeyDown(event, index)}
          >
            <SchemaField
              schema={itemSchema(items, schema, index)}
              label={items.title || `Item ${index + 1}`}
              pointer={below(pointer, index)}
              value={item}
              onChange={(next, options) => {
                const copy = [...shown];
                copy[index] = next ?? emptyOf(items);
                onChange(copy, options);
              }}
              aside={
                <ItemButtons
                  index={index}
                  count={shown.length}
                  disabled={disabled}
                  onMove={(by, part) => move(index, by, part)}
                  onRemove={() => remove(index)}
                />
              }
            />
          </fieldset>
        ))}
      </div>
      <div>
        <Button
          size="small"
          icon={<Plus />}
          disabled={disabled || full}
          data-add=""
          onClick={add}
          aria-label={`Add to ${label}`}
        >
          Add item
        </Button>
        {full && <span className={styles.full}>At most {schema.maxItems}.</span>}
      </div>
    </FieldGroup>
  );
}

/** An emptied item stays an item. */
function emptyOf(items: JsonSchema): Json {
  return [items.type].flat().includes("string") ? "" : null;
}

/** An item's schema, with the list's example as its own where it has none. */
function itemSchema(items: JsonSchema, list: JsonSchema, index: number): JsonSchema {
  const example = list.examples?.[0];
  if (items.examples || !Array.isArray(example) || example[index] === undefined) return items;
  const cached = withExample.get(items)?.[index];
  if (cached) return cached;
  const made = { ...items, examples: [example[index]] };
  withExample.set(items, { ...withExample.get(items), [index]: made });
  return made;
}

const withExample = new WeakMap<JsonSchema, { [index: number]: JsonSchema }>();

interface ItemButtonsProps {
  index: number;
  count: number;
  disabled: boolean;
  onMove: (by: -1 | 1, part: "up" | "down") => void;
  onRemove: () => void;
}

function ItemButtons({ index, count, disabled, onMove, onRemove }: ItemButtonsProps) {
  const name = `item ${index + 1}`;
  return (
    <>
      {count > 1 && (
        <>
          <IconButton
            size="tiny"
            data-part="up"
            label={`Move ${name} up`}
            hint="Alt+↑"
            icon={<ArrowUp />}
            disabled={disabled || index === 0}
            onClick={() => onMove(-1, "up")}
          />
          <IconButton
            size="tiny"
            data-part="down"
            label={`Move ${name} down`}
            hint="Alt+↓"
            icon={<ArrowDown />}
            disabled={disabled || index === count - 1}
            onClick={() => onMove(1, "down")}
          />
        </>
      )}
      <IconButton size="tiny" label={`Remove ${name}`} icon={<Trash2 />} disabled={disabled} onClick={onRemove} />
    </>
  );
}

function focusItem(list: HTMLElement, { index, part }: Target): void {
  const item = list.querySelector<HTMLElement>(`:scope > [data-item="${index}"]`);
  if (!item) {
    list.parentElement?.querySelector<HTMLElement>("[data-add]")?.focus();
    return;
  }
  const button = part === "field" ? null : item.querySelector<HTMLButtonElement>(`[data-part="${part}"]`);
  const other = item.querySelector<HTMLButtonElement>("[data-part]:not([disabled])");
  const field = item.querySelector<HTMLElement>(focusable);
  const to = part === "field" ? (field ?? item.querySelector("button")) : button?.disabled ? other : button;
  to?.focus();
}
