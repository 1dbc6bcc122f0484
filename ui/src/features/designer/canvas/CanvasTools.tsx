import { ListTree, Plus, Redo2, Sparkles, Undo2 } from "lucide-react";
import { useStore } from "zustand";
import { useKeysHint } from "../../../app/shortcuts";
import { IconButton } from "../../../components/Button";
import { useCommands } from "../commands";
import { useDesignerStore } from "../context";
import { useEditingLock } from "../live";
import { toggleStepsList } from "../useNarrow";
import { useView, useViewStore } from "../view";
import styles from "./Canvas.module.css";

/** Undo, redo, tidy up and the list of steps, in the toolbar. */
export function CanvasTools() {
  const store = useDesignerStore();
  const view = useViewStore();
  const commands = useCommands();
  const locked = useEditingLock() !== null;
  const canUndo = useStore(store.temporal, (state) => state.pastStates.length > 0);
  const canRedo = useStore(store.temporal, (state) => state.futureStates.length > 0);
  const keys = useKeysHint();
  const stepsList = useView((state) => state.stepsList);
  const add = () => {
    const { selection } = store.getState();
    const [after] = selection.size === 1 ? selection : [];
    view.getState().set({ quickAdd: { after } });
  };
  return (
    <>
      <IconButton label="Add a step" hint={keys("/")} icon={<Plus />} aria-disabled={locked} onClick={add} />
      <IconButton
        label="Undo"
        hint={keys("Mod+Z")}
        icon={<Undo2 />}
        aria-disabled={!canUndo || locked}
        onClick={() => canUndo && commands.undo()}
      />
      <IconButton
        label="Redo"
        hint={keys("Mod+Shift+Z")}
        icon={<Redo2 />}
        aria-disabled={!canRedo || locked}
        onClick={() => canRedo && commands.redo()}
      />
      <IconButton
        label="Tidy up"
        hint={keys("T")}
        icon={<Sparkles />}
        aria-disabled={locked}
        onClick={() => void commands.tidy()}
      />
      <IconButton
        className={styles.wideOnly}
        label="List of steps"
        hint={keys("L")}
        icon={<ListTree />}
        aria-pressed={stepsList}
        onClick={() => toggleStepsList(view)}
      />
    </>
  );
}
