import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import { useDesignerState } from "./context";
import styles from "./Designer.module.css";
import { SidePanel } from "./SidePanel";
import { SettingsPanel } from "./settings/SettingsPanel";
import { useTabOfFocus, useView, useViewStore } from "./view";

const fields = "input:not([type=hidden]), select, textarea, [contenteditable=true]";

/** Escape leads back to the step. */
function useWayBack() {
  const view = useViewStore();
  const [only] = useDesignerState((state) => state.selection);
  return (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented || only === undefined) return;
    // Popups are drawn elsewhere in the page, but their keys come by here too.
    if (!event.currentTarget.contains(event.target as Node)) return;
    event.preventDefault();
    view.getState().set({ tab: "canvas" });
    view.getState().canvas?.reveal(only, { focus: true, centre: false });
  };
}

/** What the panel holds, in whichever frame. */
export function SettingsContent() {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the fields within.
    <div className={styles.content} onFocus={useTabOfFocus("settings")} onKeyDown={useWayBack()}>
      <SettingsPanel />
    </div>
  );
}

/** The settings' panel; Enter on a step leads into it. Its content is drawn once for all frames. */
export function SettingsSide({ alone, children }: { alone?: boolean; children: ReactNode }) {
  const view = useViewStore();
  const panel = useRef<HTMLElement>(null);
  const open = useView((state) => state.settings);
  const asked = useView((state) => state.settingsAsked);
  const seen = useRef(asked);

  useEffect(() => {
    if (asked === seen.current) return;
    seen.current = asked;
    const own = panel.current;
    if (!own) return;
    const enter = () => {
      const first = own.querySelector<HTMLElement>(fields);
      (first ?? own).focus();
      return first !== null;
    };
    // The step was chosen with the same key and is drawn next; its form may still be on its way.
    const watch = new MutationObserver(() => {
      if (document.activeElement !== own || enter()) watch.disconnect();
    });
    const frame = requestAnimationFrame(() => {
      if (!enter()) watch.observe(own, { childList: true, subtree: true });
    });
    return () => {
      cancelAnimationFrame(frame);
      watch.disconnect();
    };
  }, [asked]);

  return (
    <SidePanel
      ref={panel}
      side="right"
      label="Settings"
      name="settings"
      width={{ first: 348, least: 280, most: 640 }}
      open={open}
      onOpenChange={(settings) => view.getState().set({ settings })}
      alone={alone}
      onKeyDown={useWayBack()}
    >
      {children}
    </SidePanel>
  );
}
