import { send } from "../../../api/client";

/** Reads the whole log as text, page by page, and saves it as a file. */
export async function saveLog(id: string): Promise<void> {
  const parts: string[] = [];
  let next: string | undefined = `/api/vwmp/executions/${encodeURIComponent(id)}/logs/?limit=10000`;
  while (next) {
    const answer: Response = await send(next, { headers: { Accept: "text/plain" } });
    parts.push(await answer.text());
    next = /<([^>]+)>;\s*rel="?next/.exec(answer.headers.get("Link") ?? "")?.[1];
  }
  saveText(parts, `${id}.log`);
}

/** Gives a text to the browser to be saved. */
export function saveText(parts: readonly string[], name: string, type = "text/plain"): void {
  const address = URL.createObjectURL(new Blob([...parts], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
