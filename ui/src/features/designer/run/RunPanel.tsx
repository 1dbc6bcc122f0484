/** The run that the designer follows: progress, steps and logs. Nothing while none is. */
export function RunPanel() {
  return null;
}
