/** Undo, redo, tidy up and the list of steps, in the toolbar. */
export function CanvasTools() {
  return null;
}
