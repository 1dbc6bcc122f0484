import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { disablePlugin, enablePlugin, reloadPlugin } from "../../api/actions";
import { keys, pluginUsageQuery } from "../../api/queries";
import type { Plugin } from "../../api/types";
import { AlertDialog } from "../../components/AlertDialog";
import { ErrorNotice } from "../../components/ErrorNotice";
import { toast } from "../../components/toast";
import { count } from "../../lib/text";
import { usedBy } from "./describe";
import type { PluginActions } from "./PluginRow";

type Verb = "enable" | "disable" | "reload" | "force";

const doing: Record<Verb, { did: string; failed: string }> = {
  enable: { did: "is enabled", failed: "could not be enabled" },
  disable: { did: "is disabled", failed: "could not be disabled" },
  reload: { did: "is reloaded", failed: "could not be reloaded" },
  force: { did: "is reloaded", failed: "could not be reloaded" },
};

function run(verb: Verb, name: string): Promise<Plugin> {
  switch (verb) {
    case "enable":
      return enablePlugin(name);
    case "disable":
      return disablePlugin(name);
    default:
      return reloadPlugin(name, verb === "force");
  }
}

/** How many workflows wait without the plugin. */
function Affected({ name }: { name: string }) {
  const usage = useQuery(pluginUsageQuery(name)).data;
  if (!usage) return null;
  const workflows = usedBy(usage);
  if (workflows.length === 0) return <p>No stored workflow uses it.</p>;
  const names = workflows.slice(0, 3).map((each) => `“${each.name}”`);
  return (
    <p>
      {count(workflows.length, "workflow")} {workflows.length === 1 ? "uses" : "use"} it: {names.join(", ")}
      {workflows.length > 3 && " and others"}.
    </p>
  );
}

/** What an administrator does to plugins, with its questions and its failures. */
export function usePluginActions(): { actions: PluginActions; notice: ReactNode; dialogs: ReactNode } {
  const queries = useQueryClient();
  const [asked, setAsked] = useState<{ verb: "disable" | "force"; plugin: Plugin }>();
  const [open, setOpen] = useState(false);
  const change = useMutation({
    mutationFn: ({ verb, name }: { verb: Verb; name: string }) => run(verb, name),
    onSuccess: (_, { verb, name }) => {
      setOpen(false);
      toast({ title: `Plugin “${name}” ${doing[verb].did}`, kind: "success" });
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: keys.plugins }),
  });
  const start = (verb: Verb, plugin: Plugin) => !change.isPending && change.mutate({ verb, name: plugin.name });
  const ask = (verb: "disable" | "force", plugin: Plugin) => {
    change.reset();
    setAsked({ verb, plugin });
    setOpen(true);
  };
  const failure = change.error && (
    <ErrorNotice
      error={change.error}
      doing={`Plugin “${change.variables.name}” ${doing[change.variables.verb].failed}`}
    />
  );
  const forcing = asked?.verb === "force";
  return {
    actions: {
      enable: (plugin) => start("enable", plugin),
      reload: (plugin) => start("reload", plugin),
      disable: (plugin) => ask("disable", plugin),
      force: (plugin) => ask("force", plugin),
      busy: change.isPending ? change.variables.name : undefined,
    },
    notice: !open && failure,
    dialogs: (
      <AlertDialog
        open={open}
        onOpenChange={setOpen}
        title={
          forcing ? `Take up the new version of “${asked.plugin.name}”?` : `Disable “${asked?.plugin.name ?? ""}”?`
        }
        confirm={forcing ? "Take it up" : "Disable plugin"}
        busyText={forcing ? "Taking it up…" : "Disabling…"}
        busy={change.isPending}
        onConfirm={() => asked && start(asked.verb, asked.plugin)}
      >
        {forcing ? (
          <p>{asked.plugin.held?.message} What it breaks has to be put right in the workflows.</p>
        ) : (
          <p>
            Calls that run go on to their ends. Steps that come wait until somebody enables it, over restarts of the
            server too.
          </p>
        )}
        {asked && !forcing && <Affected name={asked.plugin.name} />}
        {failure}
      </AlertDialog>
    ),
  };
}
