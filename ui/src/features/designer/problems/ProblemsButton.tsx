/** How many problems the definition has, and their list. */
export function ProblemsButton() {
  return null;
}
