import { ChevronDown, ChevronRight, CirclePause, Ellipsis, Power, RotateCw } from "lucide-react";
import { useId, useState } from "react";
import { useWhyNot } from "../../api/role";
import type { Plugin } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Button, IconButton } from "../../components/Button";
import { Menu } from "../../components/Menu";
import { Cell, RowActions } from "../../components/Table";
import { bytes, capital, count } from "../../lib/text";
import { Details } from "./Details";
import { meaningOf, rests, toneOf } from "./describe";
import styles from "./PluginsPage.module.css";

/** What can be done with a plugin. */
export interface PluginActions {
  enable: (plugin: Plugin) => void;
  reload: (plugin: Plugin) => void;
  /** Asks first. */
  disable: (plugin: Plugin) => void;
  /** Asks first, and takes up the version that is held back. */
  force: (plugin: Plugin) => void;
  /** The plugin that something is being done with. */
  busy: string | undefined;
}

interface PluginRowProps {
  plugin: Plugin;
  columns: number;
  actions: PluginActions;
}

function Held({ plugin, onForce }: { plugin: Plugin; onForce?: () => void }) {
  const held = plugin.held;
  if (!held) return null;
  return (
    <div className={styles.held}>
      <p>
        <strong>{held.version ? `Version ${held.version} is held back` : "A newer file is held back"}</strong>:{" "}
        {held.message}
      </p>
      {held.changes.length > 0 && (
        <ul>
          {held.changes.slice(0, 5).map((change) => (
            <li key={`${change.workflow_id} ${change.step_id} ${change.message}`}>
              {change.workflow_name}
              {change.step_id && `, step “${change.step_id}”`}: {change.message}
            </li>
          ))}
          {held.changes.length > 5 && <li>and {held.changes.length - 5} more</li>}
        </ul>
      )}
      {onForce && held.reason !== "removed" && held.reason !== "broken" && (
        <Button size="small" onClick={onForce}>
          Take it up all the same…
        </Button>
      )}
    </div>
  );
}

function Actions({ plugin, actions }: { plugin: Plugin; actions: PluginActions }) {
  const mayNot = useWhyNot("plugins");
  return (
    <>
      {rests(plugin) && (
        <Button
          size="small"
          icon={<Power />}
          aria-label={`Enable ${plugin.name}`}
          why={mayNot}
          busy={actions.busy === plugin.name}
          onClick={() => actions.enable(plugin)}
        >
          Enable
        </Button>
      )}
      <Menu
        trigger={<IconButton label={`More actions for ${plugin.name}`} icon={<Ellipsis />} />}
        groups={[
          [
            {
              id: "reload",
              label: "Reload",
              hint: mayNot ?? "Takes up a new file; what runs ends on the old one",
              disabled: mayNot !== undefined,
              icon: <RotateCw />,
              onSelect: () => actions.reload(plugin),
            },
            plugin.state !== "disabled" && {
              id: "disable",
              label: "Disable…",
              hint: mayNot,
              disabled: mayNot !== undefined,
              icon: <CirclePause />,
              onSelect: () => actions.disable(plugin),
            },
          ],
        ]}
      />
    </>
  );
}

/** A plugin's process, and on request all that is known of it. */
export function PluginRow({ plugin, columns, actions }: PluginRowProps) {
  const mayForce = useWhyNot("plugins") === undefined;
  const [open, setOpen] = useState(false);
  const details = useId();
  return (
    <>
      <tr>
        <Cell className={styles.name}>
          <strong>{plugin.name}</strong> <span className={styles.hint}>{plugin.description}</span>
          <Held plugin={plugin} onForce={mayForce ? () => actions.force(plugin) : undefined} />
        </Cell>
        <Cell label="State" className={styles.state}>
          <Badge tone={toneOf(plugin.state)}>{capital(plugin.state)}</Badge>
          <span className={styles.hint}>{meaningOf(plugin)}</span>
        </Cell>
        <Cell label="Version">{plugin.version || "–"}</Cell>
        <Cell label="Memory" end>
          {plugin.memory_bytes ? bytes(plugin.memory_bytes) : "–"}
        </Cell>
        <Cell label="Calls" end>
          {new Intl.NumberFormat().format(plugin.calls)}
          {plugin.running > 0 && <span className={styles.hint}>{plugin.running} now</span>}
        </Cell>
        <Cell label="Failures" end className={plugin.failures > 0 ? styles.bad : undefined}>
          {plugin.failures}
        </Cell>
        <Cell shrink>
          <RowActions>
            <Actions plugin={plugin} actions={actions} />
            <IconButton
              label={`Details of ${plugin.name}, ${count(plugin.handlers.length, "handler")}`}
              icon={open ? <ChevronDown /> : <ChevronRight />}
              aria-expanded={open}
              aria-controls={open ? details : undefined}
              onClick={() => setOpen(!open)}
            />
          </RowActions>
        </Cell>
      </tr>
      {open && (
        <tr id={details} className={styles.details}>
          <td colSpan={columns}>
            <Details plugin={plugin} />
          </td>
        </tr>
      )}
    </>
  );
}
