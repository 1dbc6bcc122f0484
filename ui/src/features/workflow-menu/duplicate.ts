import { client, send, take } from "../../api/client";
import { exportText } from "../../api/queries";
import type { WorkflowMeta } from "../../api/types";

/** A name for a copy that no other workflow has. */
export function copyName(name: string, taken: readonly string[]): string {
  const base = name.replace(/ \(copy(?: \d+)?\)$/, "");
  for (let n = 1; ; n++) {
    const made = `${base} (copy${n > 1 ? ` ${n}` : ""})`;
    if (!taken.includes(made)) return made;
  }
}

export interface Copy {
  workflow: WorkflowMeta;
  /** How many triggers of the copy were switched off. */
  triggers: number;
}

/**
 * The text under another name. Comments and order stay. Triggers are switched
 * off: otherwise everything that they start would run twice.
 */
export async function copyText(text: string, name: string): Promise<{ text: string; triggers: number }> {
  const { isMap, isSeq, parseDocument } = await import("yaml");
  const document = parseDocument(text);
  document.set("name", name);
  const triggers = document.get("triggers");
  let switchedOff = 0;
  if (isSeq(triggers)) {
    for (const trigger of triggers.items) {
      if (!isMap(trigger)) continue;
      trigger.set("enabled", false);
      switchedOff++;
    }
  }
  return { text: document.toString({ lineWidth: 0 }), triggers: switchedOff };
}

/** Stores a copy of a workflow's newest revision as a workflow of its own. */
export async function duplicate(id: string): Promise<Copy> {
  const [text, list] = await Promise.all([exportText(id, "yaml"), take(client.GET("/api/vwmp/workflows/"))]);
  const source = list?.find((each) => each.id === id);
  const name = copyName(source?.name ?? id, list?.map((each) => each.name) ?? []);
  const copy = await copyText(text, name);
  // A draft with problems is copied as the draft that it is.
  const answer = await send(
    `/api/vwmp/workflows/?message=${encodeURIComponent(`Copy of ${source?.name ?? id}`)}&draft=true`,
    {
      method: "POST",
      headers: { "Content-Type": "application/yaml" },
      body: copy.text,
    },
  );
  return { workflow: (await answer.json()) as WorkflowMeta, triggers: copy.triggers };
}
