import { type KeyboardEvent, useState } from "react";
import { isTurnedOff } from "../../../app/shortcuts";
import { announce } from "../../../components/announce";
import { grid, type Point } from "../../graph/geometry";
import { orderOf } from "../../graph/order";
import { arrowOf, stepIn } from "../../graph/walk";
import { useCommands } from "../commands";
import { useDesignerStore } from "../context";
import { useViewStore } from "../view";
import { openSettings } from "./StepMenu";

/** The distance of one press: a step of the grid, or one unit with Shift. */
export function distance(key: string, fine: boolean): Point | null {
  const direction = arrowOf(key);
  if (!direction) return null;
  const by = stepIn[direction];
  const size = fine ? 1 : grid;
  return { x: by.x * size, y: by.y * size };
}

/**
 * The canvas's own keys. They act on the selection where the step that has
 * the focus is part of it, else on that step alone.
 */
export function useCanvasKeys() {
  const store = useDesignerStore();
  const view = useViewStore();
  const commands = useCommands();
  const [moving, setMoving] = useState(false);

  const targets = (at: string | null): ReadonlySet<string> => {
    const { selection } = store.getState();
    return at === null || selection.has(at) ? selection : new Set([at]);
  };
  const reveal = (id: string | null | undefined) =>
    id == null ? view.getState().canvas?.focus() : view.getState().canvas?.reveal(id, { focus: true, centre: false });

  const withMod = (event: KeyboardEvent, at: string | null): boolean => {
    switch (event.key.toLowerCase()) {
      case "a":
        commands.selectAll();
        return true;
      case "d":
        reveal(commands.duplicate(targets(at))[0]);
        return true;
    }
    return false;
  };
  const plain = (event: KeyboardEvent, at: string | null): boolean => {
    const { selectedEdge, selection, select } = store.getState();
    const order = orderOf(store.getState().document.steps).ids;
    switch (event.key) {
      case "Delete":
      case "Backspace":
        if (selectedEdge !== null) commands.disconnect(selectedEdge);
        else if (targets(at).size > 0) reveal(commands.remove(targets(at)));
        return true;
      case "Escape":
        if (moving) setMoving(false);
        else if (selectedEdge !== null || selection.size > 0) select([]);
        else return false;
        return true;
      case "Home":
      case "End":
        reveal(event.key === "Home" ? order[0] : order.at(-1));
        return true;
      case "m":
      case "M":
        if (isTurnedOff("M") || (at === null && selection.size === 0)) return false;
        setMoving(!moving);
        announce(moving ? "Arrows walk again" : "Arrows move the step now; M ends it");
        return true;
    }
    return false;
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>, at: string | null) => {
    const by = distance(event.key, event.shiftKey);
    let taken = false;
    if (by && (event.altKey || (moving && !event.ctrlKey && !event.metaKey))) {
      commands.move(targets(at), by, "keys");
      taken = true;
    } else if (event.ctrlKey || event.metaKey) taken = withMod(event, at);
    else if (!event.altKey) taken = plain(event, at);
    if (taken) event.preventDefault();
  };
  const onPress = (id: string, event: KeyboardEvent) => {
    const { selection, select } = store.getState();
    setMoving(false);
    if (event.key === "Enter") openSettings(id, { store, view });
    else if (!event.shiftKey && !event.ctrlKey) select(selection.has(id) && selection.size === 1 ? [] : [id]);
    else select(selection.has(id) ? [...selection].filter((other) => other !== id) : [...selection, id]);
  };
  return { onKeyDown, onPress, targets, moving };
}
