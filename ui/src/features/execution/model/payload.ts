// Outputs that results only name, because they are large.

/** Up to how many bytes an output is shown; above it there are a preview and a download. */
export const shownSize = 256 * 1024;

export interface Named {
  sha256: string;
  /** In bytes. */
  size: number;
  preview: string;
}

/** What stands for an output that is not in the result; undefined for one that is. */
export function namedOutput(output: unknown): Named | undefined {
  if (typeof output !== "object" || output === null) return undefined;
  const keys = Object.keys(output);
  const named = (output as { $blob?: Partial<Named> }).$blob;
  if (keys.length !== 1 || typeof named?.sha256 !== "string" || typeof named.size !== "number") return undefined;
  return { sha256: named.sha256, size: named.size, preview: named.preview ?? "" };
}
