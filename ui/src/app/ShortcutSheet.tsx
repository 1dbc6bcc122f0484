import { Dialog } from "../components/Dialog";
import styles from "./ShortcutSheet.module.css";
import { isTurnedOff, keysText, type Shortcut, useLetterShortcuts, useShortcutList } from "./shortcuts";

function grouped(list: readonly Shortcut[]): [string, Shortcut[]][] {
  const groups = new Map<string, Shortcut[]>();
  for (const shortcut of list) {
    const group = groups.get(shortcut.group) ?? [];
    group.push(shortcut);
    groups.set(shortcut.group, group);
  }
  return [...groups];
}

/** The switch that turns single-letter shortcuts off. */
export function LetterSwitch() {
  const [on, setOn] = useLetterShortcuts();
  return (
    <label className={styles.letters}>
      <input type="checkbox" checked={on} onChange={(event) => setOn(event.target.checked)} />
      <span>
        Single-key shortcuts
        <span className={styles.hint}>Turn this off if you dictate, or press keys by accident.</span>
      </span>
    </label>
  );
}

/** Every shortcut that works on the page that is open. */
export function ShortcutGroups() {
  const list = useShortcutList();
  return (
    <div className={styles.groups}>
      {grouped(list).map(([group, shortcuts]) => (
        <section key={group}>
          <h3>{group}</h3>
          <dl className={styles.list}>
            {shortcuts.map((shortcut) => (
              <div key={shortcut.keys + shortcut.label} className={styles.row}>
                <dt>{shortcut.label}</dt>
                <dd>
                  {/* The row stays, so that nothing moves below the switch, but promises no key. */}
                  {isTurnedOff(shortcut.keys) ? (
                    <span className={styles.off}>Off</span>
                  ) : (
                    <kbd>{keysText(shortcut.keys)}</kbd>
                  )}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

/** Lists every shortcut that works on the page that is open. */
export function ShortcutSheet({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keyboard shortcuts" width="medium">
      <ShortcutGroups />
      <LetterSwitch />
    </Dialog>
  );
}
