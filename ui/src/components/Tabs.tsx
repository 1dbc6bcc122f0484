import { Tabs as Base } from "@base-ui/react/tabs";
import type { ReactNode } from "react";
import styles from "./Tabs.module.css";

export interface Tab<Value extends string> {
  value: Value;
  label: string;
  icon?: ReactNode;
  /** Drawn only while the tab is chosen. */
  panel: () => ReactNode;
}

interface TabsProps<Value extends string> {
  /** What the tabs are views of. */
  label: string;
  value: Value;
  onChange: (value: Value) => void;
  tabs: readonly Tab<Value>[];
  /** What stands at the right of the tabs. */
  aside?: ReactNode;
}

/** Several views of one thing, one at a time; arrow keys go from tab to tab. */
export function Tabs<Value extends string>({ label, value, onChange, tabs, aside }: TabsProps<Value>) {
  return (
    <Base.Root value={value} onValueChange={(next: Value) => onChange(next)}>
      <div className={styles.head}>
        <Base.List className={styles.list} aria-label={label}>
          {tabs.map((tab) => (
            <Base.Tab key={tab.value} value={tab.value} className={styles.tab}>
              {tab.icon}
              {tab.label}
            </Base.Tab>
          ))}
        </Base.List>
        {aside && <div className={styles.aside}>{aside}</div>}
      </div>
      {tabs.map((tab) => (
        <Base.Panel key={tab.value} value={tab.value} className={styles.panel} tabIndex={-1}>
          {tab.value === value && tab.panel()}
        </Base.Panel>
      ))}
    </Base.Root>
  );
}
