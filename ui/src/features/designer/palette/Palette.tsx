/** The step handlers that can be added. */
export function Palette() {
  return null;
}
