import { ChevronDown, ChevronRight } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import type { Plugin } from "../../api/types";
import { Badge } from "../../components/Badge";
import { IconButton } from "../../components/Button";
import { Cell, RowActions } from "../../components/Table";
import { Ago } from "../../components/Time";
import { bytes, capital, count } from "../../lib/text";
import { isSet } from "../../lib/time";
import styles from "./PluginsPage.module.css";

const tones: Record<string, "calm" | "good" | "busy" | "warn" | "bad"> = {
  running: "good",
  starting: "busy",
  stopping: "busy",
  stopped: "calm",
  failed: "bad",
  unkillable: "bad",
};

/** What the words mean for a person. */
const meanings: Record<string, string> = {
  stopped: "Starts when a step needs it",
  failed: "Its last start failed",
  unkillable: "A process of it can't be ended",
};

function Details({ plugin }: { plugin: Plugin }) {
  const parts: [string, ReactNode][] = [
    [
      "Handlers",
      plugin.handlers && plugin.handlers.length > 0 ? (
        <span key="handlers" className={styles.handlers}>
          {plugin.handlers.map((handler) => (
            <code key={handler}>{handler}</code>
          ))}
        </span>
      ) : (
        "None"
      ),
    ],
    ["File", <code key="file">{plugin.path}</code>],
  ];
  if (plugin.checksum) parts.push(["SHA-256", <code key="sum">{plugin.checksum}</code>]);
  if (plugin.author) parts.push(["Author", plugin.author]);
  if (plugin.pid) parts.push(["Process", `${plugin.pid}`]);
  if (isSet(plugin.started_at)) parts.push(["Running since", <Ago key="since" time={plugin.started_at} />]);
  parts.push(["Restarts", plugin.restarts]);
  if (plugin.last_error) {
    parts.push([
      "Last error",
      <span key="error" className={styles.bad}>
        {plugin.last_error}
      </span>,
    ]);
  }
  if (plugin.last_words && plugin.last_words.length > 0) {
    parts.push([
      "Last words",
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a text that scrolls must be reached by keyboard.
      <pre key="words" className={styles.words} tabIndex={0}>
        {plugin.last_words.join("\n")}
      </pre>,
    ]);
  }
  return (
    <dl className={styles.parts}>
      {parts.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface PluginRowProps {
  plugin: Plugin;
  columns: number;
  children?: ReactNode;
}

/** A plugin's process, and on request all that is known of it. children are its actions. */
export function PluginRow({ plugin, columns, children }: PluginRowProps) {
  const [open, setOpen] = useState(false);
  const details = useId();
  return (
    <>
      <tr>
        <Cell className={styles.name}>
          <strong>{plugin.name}</strong> <span className={styles.hint}>{plugin.description}</span>
        </Cell>
        <Cell label="State">
          <Badge tone={tones[plugin.state] ?? "warn"}>{capital(plugin.state)}</Badge>
          <span className={styles.hint}>{plugin.last_error || meanings[plugin.state]}</span>
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
            {children}
            <IconButton
              label={`Details of ${plugin.name}, ${count(plugin.handlers?.length ?? 0, "handler")}`}
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
