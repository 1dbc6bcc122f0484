import { Dialog } from "@base-ui/react/dialog";
import { type RefObject, useMemo, useRef } from "react";
import type { HandlerSummary } from "../../../api/types";
import { FirstFocus } from "../../../components/FirstFocus";
import { edgeEnds } from "../../graph/elements";
import { useHandlers } from "../../graph/handlers";
import { HandlerIcon } from "../../graph/icons";
import { useCommands } from "../commands";
import { type PickItem, PickList } from "../PickList";
import { useRecentHandlers } from "../recent";
import { type AddTarget, useView, useViewStore } from "../view";
import styles from "./Canvas.module.css";

/** Handlers by category; those used last come first once more. */
export function handlerItems(handlers: Iterable<HandlerSummary>, recent: readonly string[]): PickItem[] {
  const all = [...handlers].sort(
    (a, b) => a.category.localeCompare(b.category) || a.name.localeCompare(b.name) || a.path.localeCompare(b.path),
  );
  const item = (handler: HandlerSummary, group: string): PickItem => ({
    id: handler.path,
    label: handler.name,
    hint: handler.description,
    icon: <HandlerIcon name={handler.icon} size={16} />,
    group,
    words: [handler.path, ...handler.tags].join(" "),
  });
  const latest = recent.flatMap((path) => all.find((handler) => handler.path === path) ?? []);
  return [
    ...latest.map((handler) => item(handler, "Recently used")),
    ...all.filter((handler) => !latest.includes(handler)).map((handler) => item(handler, handler.category || "Other")),
  ];
}

/** Where the new step goes, in words. */
function describe({ after, before, into }: AddTarget): string {
  if (into !== undefined) {
    const { from, to } = edgeEnds(into);
    return `Between ${from} and ${to}`;
  }
  if (after !== undefined) return `After ${after}`;
  return before === undefined ? "Not connected to another step" : `Before ${before}`;
}

interface ContentProps {
  target: AddTarget;
  field: RefObject<HTMLInputElement | null>;
  onDone: (id: string | null) => void;
}

function Content({ target, field, onDone }: ContentProps) {
  const handlers = useHandlers();
  const recent = useRecentHandlers();
  const commands = useCommands();
  const items = useMemo(() => handlerItems(handlers?.values() ?? [], recent), [handlers, recent]);
  return (
    <>
      <p className={styles.where}>{describe(target)}</p>
      <PickList
        label="Search steps to add"
        items={items}
        field={field}
        nothing={handlers ? "No step matches. Steps come with plugins." : "Loading the steps…"}
        onPick={(path) => onDone(commands.add(path, target))}
      />
    </>
  );
}

/** The list for one more step, opened by "/" or by drawing a connection to nowhere. */
export function QuickAdd() {
  const view = useViewStore();
  const target = useView((state) => state.quickAdd);
  const kept = useRef<AddTarget>({});
  if (target) kept.current = target;
  const { screen } = kept.current;
  const added = useRef<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const style = screen && {
    "--at-x": `${screen.x}px`,
    "--at-y": `${screen.y}px`,
  };
  return (
    <Dialog.Root
      open={target !== null}
      onOpenChange={(open) => {
        if (!open) view.getState().set({ quickAdd: null });
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className={styles.clear} />
        <Dialog.Popup
          className={styles.quickAdd}
          style={style as React.CSSProperties | undefined}
          finalFocus={() => {
            const id = added.current;
            added.current = null;
            if (id === null) return true;
            view.getState().canvas?.reveal(id, { focus: true, centre: false });
            return false;
          }}
        >
          <FirstFocus on={field} />
          <Dialog.Title className={styles.quickTitle}>Add a step</Dialog.Title>
          <Content
            target={kept.current}
            field={field}
            onDone={(id) => {
              added.current = id;
              view.getState().set({ quickAdd: null });
            }}
          />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
