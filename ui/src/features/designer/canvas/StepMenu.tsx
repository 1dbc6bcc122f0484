import { ContextMenu } from "@base-ui/react/context-menu";
import {
  ClipboardPaste,
  Copy,
  CopyPlus,
  Link2,
  Plus,
  Scissors,
  Settings2,
  Sparkles,
  SquareDashedMousePointer,
  Trash2,
  Unlink,
} from "lucide-react";
import type { ReactNode } from "react";
import { keysHint } from "../../../app/shortcuts";
import { type MenuGroups, MenuItems } from "../../../components/Menu";
import menuStyles from "../../../components/Menu.module.css";
import { count } from "../../../lib/text";
import { edgeId } from "../../graph/elements";
import { type Commands, useCommands } from "../commands";
import { useDesignerState, useDesignerStore } from "../context";
import { stepById } from "../model/commands";
import type { DesignerStore } from "../store";
import { useViewStore, type ViewStore } from "../view";
import styles from "./Canvas.module.css";

interface Means {
  store: DesignerStore;
  view: ViewStore;
  commands: Commands;
}

/** More connections than these are not offered for an insertion; they can be chosen on the canvas. */
const mostInsertions = 6;

/** Every command for some steps. Canvas and list offer the same. */
export function stepMenu(ids: ReadonlySet<string>, { store, view, commands }: Means): MenuGroups {
  const { document } = store.getState();
  const [only] = ids.size === 1 ? ids : [];
  const step = only === undefined ? undefined : stepById(document, only);
  const what = ids.size > 1 ? ` ${count(ids.size, "step")}` : "";
  const then = (made: string[]) => made[0] !== undefined && view.getState().canvas?.reveal(made[0], { centre: false });
  return [
    [
      step && {
        id: "settings",
        label: "Open settings",
        keys: keysHint("Enter"),
        icon: <Settings2 />,
        onSelect: () => openSettings(step.id, { store, view }),
      },
      step && {
        id: "after",
        label: "Add a step after it…",
        keys: keysHint("/"),
        icon: <Plus />,
        onSelect: () => view.getState().set({ quickAdd: { after: step.id } }),
      },
      step && {
        id: "connect",
        label: "Connect to…",
        keys: keysHint("C"),
        icon: <Link2 />,
        onSelect: () => view.getState().set({ connectFrom: step.id }),
      },
    ],
    (step?.dependencies ?? []).slice(0, mostInsertions).map((from) => ({
      id: `insert ${from}`,
      label: `Insert a step after ${from}…`,
      icon: <Plus />,
      onSelect: () => view.getState().set({ quickAdd: { into: edgeId(from, step!.id) } }),
    })),
    (step?.dependencies ?? []).slice(0, mostInsertions).map((from) => ({
      id: `part ${from}`,
      label: `Disconnect from ${from}`,
      icon: <Unlink />,
      onSelect: () => commands.disconnect(edgeId(from, step!.id)),
    })),
    [
      {
        id: "duplicate",
        label: `Duplicate${what}`,
        keys: keysHint("Mod+D"),
        icon: <CopyPlus />,
        onSelect: () => then(commands.duplicate(ids)),
      },
      {
        id: "copy",
        label: `Copy${what}`,
        keys: keysHint("Mod+C"),
        icon: <Copy />,
        onSelect: () => void commands.copy(ids),
      },
      {
        id: "cut",
        label: `Cut${what}`,
        keys: keysHint("Mod+X"),
        icon: <Scissors />,
        onSelect: () => void commands.copy(ids).then(() => commands.remove(ids)),
      },
    ],
    [
      {
        id: "delete",
        label: `Delete${what}`,
        keys: keysHint("Delete"),
        icon: <Trash2 />,
        danger: true,
        onSelect: () => {
          const next = commands.remove(ids);
          if (next !== null) view.getState().canvas?.reveal(next, { focus: true, centre: false });
        },
      },
    ],
  ];
}

/** Selects a step and shows its settings, with the keyboard in them. */
export function openSettings(id: string, { store, view }: Pick<Means, "store" | "view">): void {
  store.getState().select([id]);
  view.getState().set({ settings: true, tab: "settings", settingsAsked: view.getState().settingsAsked + 1 });
}

/** What the empty canvas offers. */
function canvasMenu({ view, commands }: Means): MenuGroups {
  const { canvas } = view.getState();
  const at = canvas?.pointer() ?? undefined;
  return [
    [
      {
        id: "add",
        label: "Add a step…",
        keys: keysHint("/"),
        icon: <Plus />,
        onSelect: () => view.getState().set({ quickAdd: { at, screen: canvas?.screenPointer() ?? undefined } }),
      },
      {
        id: "paste",
        label: "Paste",
        keys: keysHint("Mod+V"),
        icon: <ClipboardPaste />,
        onSelect: () => void commands.paste(),
      },
      {
        id: "all",
        label: "Select all",
        keys: keysHint("Mod+A"),
        icon: <SquareDashedMousePointer />,
        onSelect: () => commands.selectAll(),
      },
      { id: "tidy", label: "Tidy up", keys: keysHint("T"), icon: <Sparkles />, onSelect: () => void commands.tidy() },
    ],
  ];
}

function edgeMenu(edge: string, { view, commands }: Means): MenuGroups {
  return [
    [
      {
        id: "insert",
        label: "Insert a step here…",
        icon: <Plus />,
        onSelect: () => view.getState().set({ quickAdd: { into: edge } }),
      },
      {
        id: "delete",
        label: "Delete the connection",
        keys: keysHint("Delete"),
        icon: <Trash2 />,
        danger: true,
        onSelect: () => commands.disconnect(edge),
      },
    ],
  ];
}

/** The means of every menu of steps. */
export function useMenuMeans(): Means {
  return { store: useDesignerStore(), view: useViewStore(), commands: useCommands() };
}

function Items() {
  const means = useMenuMeans();
  const selection = useDesignerState((state) => state.selection);
  const edge = useDesignerState((state) => state.selectedEdge);
  if (edge !== null) return <MenuItems groups={edgeMenu(edge, means)} />;
  return <MenuItems groups={selection.size > 0 ? stepMenu(selection, means) : canvasMenu(means)} />;
}

/** The canvas with its context menu, which acts on what is selected. */
export function CanvasMenu({ children }: { children: ReactNode }) {
  return (
    <ContextMenu.Root>
      <ContextMenu.Trigger className={styles.trigger}>{children}</ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Positioner className={menuStyles.place}>
          <ContextMenu.Popup className={menuStyles.popup}>
            <Items />
          </ContextMenu.Popup>
        </ContextMenu.Positioner>
      </ContextMenu.Portal>
    </ContextMenu.Root>
  );
}
