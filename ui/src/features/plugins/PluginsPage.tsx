import { useQuery } from "@tanstack/react-query";
import { Blocks } from "lucide-react";
import { pluginsQuery } from "../../api/queries";
import type { Fence, Plugin } from "../../api/types";
import { Card } from "../../components/Card";
import { EmptyState } from "../../components/EmptyState";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Page } from "../../components/Page";
import { SkeletonRows } from "../../components/SkeletonRows";
import { type Column, Table } from "../../components/Table";
import { count } from "../../lib/text";
import { gapsOf } from "./describe";
import { PluginRow } from "./PluginRow";
import styles from "./PluginsPage.module.css";
import { usePluginActions } from "./usePluginActions";

const columns: readonly Column[] = [
  { id: "name", label: "Plugin" },
  { id: "state", label: "State" },
  { id: "version", label: "Version" },
  { id: "memory", label: "Memory", end: true },
  { id: "calls", label: "Calls", end: true },
  { id: "failures", label: "Failures", end: true },
  { id: "actions", label: "Actions", hidden: true, shrink: true },
];

/** Files that are no plugin, or not one that is let in, and why. */
function Refused({ plugins }: { plugins: readonly Plugin[] }) {
  return (
    <Card title="Refused files" aside={count(plugins.length, "file")}>
      <ul className={styles.refused}>
        {plugins.map((plugin) => (
          <li key={`${plugin.name} ${plugin.path}`}>
            <code>{plugin.path}</code>
            <span className={styles.hint}>{plugin.state_reason || plugin.last_error || "No reason was given"}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** How plugins are kept in on this machine, and what it lacks. */
function FenceCard({ fence }: { fence: Fence }) {
  const gaps = gapsOf(fence);
  return (
    <Card title="Fence" aside={fence.pinned ? "Pinned: only plugins of plugins.lock run" : "Not pinned"}>
      {gaps.length === 0 ? (
        <p className={styles.fence}>Plugins are kept in by Landlock and control groups.</p>
      ) : (
        <ul className={styles.refused}>
          {gaps.map((gap) => (
            <li key={gap}>{gap}</li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** The plugins, their processes, and what went wrong with them. */
export default function PluginsPage() {
  // Memory and calls change without an event.
  const list = useQuery({ ...pluginsQuery, refetchInterval: 5_000 });
  const plugins = list.data?.plugins.filter((plugin) => plugin.state !== "refused");
  const refused = list.data?.plugins.filter((plugin) => plugin.state === "refused") ?? [];
  const handlers = plugins?.reduce((sum, plugin) => sum + plugin.handlers.length, 0) ?? 0;
  const { actions, notice, dialogs } = usePluginActions();
  return (
    <Page
      title="Plugins"
      subtitle={plugins ? `${count(plugins.length, "plugin")} with ${count(handlers, "handler")}` : "Loading"}
    >
      {list.error && !list.data && (
        <ErrorNotice
          error={list.error}
          doing="The plugins could not be loaded"
          onRetry={() => void list.refetch()}
          retrying={list.isFetching}
        />
      )}
      {notice}
      {plugins?.length === 0 && (
        <Card>
          <EmptyState icon={<Blocks />} title="No plugin was found">
            Put plugins into the folder “plugins” of the data folder, or start the server with --plugins.
          </EmptyState>
        </Card>
      )}
      {(plugins ? plugins.length > 0 : !list.error) && (
        <Card>
          <Table label="Plugins" columns={columns} busy={!plugins}>
            {plugins ? (
              plugins.map((plugin) => (
                <PluginRow
                  key={`${plugin.name} ${plugin.path}`}
                  plugin={plugin}
                  columns={columns.length}
                  actions={actions}
                />
              ))
            ) : (
              <SkeletonRows columns={columns} rows={3} />
            )}
          </Table>
        </Card>
      )}
      {refused.length > 0 && <Refused plugins={refused} />}
      {list.data && <FenceCard fence={list.data.fence} />}
      {dialogs}
    </Page>
  );
}
