import { Menu as Base } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";
import { cx } from "./cx";
import styles from "./Menu.module.css";

export interface MenuItem {
  id: string;
  label: ReactNode;
  icon?: ReactNode;
  /** The keys that do the same. */
  keys?: string;
  danger?: boolean;
  /** It leads to the page that is open. */
  current?: boolean;
  disabled?: boolean;
  /** Why it is disabled, or what else is worth knowing. */
  hint?: string;
  onSelect: () => void;
}

/** Items in groups; a line stands between groups. */
export type MenuGroups = (MenuItem | false | null | undefined)[][];

/** head stands above the first group and names it. */
export function MenuItems({ groups, head }: { groups: MenuGroups; head?: ReactNode }) {
  const filled = groups
    .map((group) => group.filter((item): item is MenuItem => Boolean(item)))
    .filter((group) => group.length > 0);
  return filled.map((group, index) => (
    <Base.Group key={group[0]!.id}>
      {index > 0 && <Base.Separator className={styles.line} />}
      {index === 0 && head && <Base.GroupLabel className={styles.head}>{head}</Base.GroupLabel>}
      {group.map((item) => (
        <Base.Item
          key={item.id}
          className={cx(styles.item, item.danger && styles.danger)}
          disabled={item.disabled}
          aria-current={item.current ? "page" : undefined}
          onClick={item.onSelect}
        >
          <span className={styles.icon}>{item.icon}</span>
          <span className={styles.label}>
            {item.label}
            {item.hint && <span className={styles.hint}>{item.hint}</span>}
          </span>
          {item.keys && <kbd className={styles.keys}>{item.keys}</kbd>}
        </Base.Item>
      ))}
    </Base.Group>
  ));
}

interface MenuProps {
  trigger: ReactElement<Record<string, unknown>>;
  groups: MenuGroups;
  /** What the menu is about, above its items. */
  head?: ReactNode;
  align?: "start" | "end";
}

/** A button that opens a menu. */
export function Menu({ trigger, groups, head, align = "end" }: MenuProps) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner className={styles.place} sideOffset={4} align={align}>
          <Base.Popup className={styles.popup}>
            <MenuItems groups={groups} head={head} />
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
