// Ids of steps.
const shape = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const longest = 64;

/** Whether a text can be the id of a step. */
export function isStepId(text: string): boolean {
  return shape.test(text);
}

/** The nearest text to this one that can be an id: "Build & test" gives "build-test". */
export function asStepId(text: string): string {
  const plain = text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, longest);
  return plain || "step";
}

/** This id, or with the first number behind it that nobody has: "build", "build-2", "build-3". */
export function uniqueId(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  const [, stem = wanted, number] = /^(.*?)-(\d{1,6})$/.exec(wanted) ?? [];
  for (let n = number ? Number(number) + 1 : 2; ; n++) {
    const id = `${stem.slice(0, longest - 1 - String(n).length)}-${n}`;
    if (!taken.has(id)) return id;
  }
}
