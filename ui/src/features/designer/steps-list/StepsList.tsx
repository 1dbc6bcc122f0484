/** Every step, in the order of execution. */
export function StepsList() {
  return null;
}
