// Plugins in words. No React.
import type { Fence, Plugin, PluginUsage } from "../../api/types";
import { capital } from "../../lib/text";

export type Tone = "calm" | "good" | "busy" | "warn" | "bad";

const tones: Record<Plugin["state"], Tone> = {
  running: "good",
  starting: "busy",
  stopping: "busy",
  stopped: "calm",
  disabled: "warn",
  quarantined: "bad",
  failed: "bad",
  unkillable: "bad",
  refused: "bad",
};

export function toneOf(state: Plugin["state"]): Tone {
  return tones[state] ?? "warn";
}

/** What a state means for a person, as one sentence; nothing where its word says it all. */
export function meaningOf(plugin: Plugin): string | undefined {
  if (plugin.state_reason) return plugin.state_reason;
  switch (plugin.state) {
    case "stopped":
      return plugin.last_error || "Starts when a step needs it";
    case "failed":
      return plugin.last_error || "Its last start failed";
    case "unkillable":
      return "A process of it can't be ended";
    default:
      return undefined;
  }
}

/** Whether somebody has to act before it is called again. */
export function rests({ state }: Plugin): boolean {
  return state === "disabled" || state === "quarantined";
}

/** What this machine lacks to keep plugins in, each once, as sentences. */
export function gapsOf(fence: Fence): string[] {
  const reasons = [fence.files_reason, fence.data_hidden_reason, fence.control_groups_reason];
  return [...new Set(reasons.flatMap((reason) => (reason ? [`${capital(reason)}.`] : [])))];
}

export interface UsedBy {
  id: string;
  name: string;
  /** How many of its steps have a handler of the plugin. */
  steps: number;
}

/** The workflows that use a plugin, each once, those with the most steps first. */
export function usedBy({ handlers, workflow_types: types }: PluginUsage): UsedBy[] {
  const found = new Map<string, UsedBy>();
  for (const { workflows } of [...handlers, ...types]) {
    for (const { workflow_id: id, workflow_name: name, steps } of workflows) {
      const known = found.get(id) ?? { id, name, steps: 0 };
      known.steps += steps.length;
      found.set(id, known);
    }
  }
  return [...found.values()].sort((a, b) => b.steps - a.steps || a.name.localeCompare(b.name));
}
