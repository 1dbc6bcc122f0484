/** Where a step is edited. */
export function designerHref(workflow: string, step: string): string {
  return `/designer/${workflow}?step=${encodeURIComponent(step)}`;
}

/** The address of something of a run, to be saved as a file. */
export function fileAddress(id: string, path: string): string {
  return `/api/vwmp/executions/${encodeURIComponent(id)}/${path}`;
}
