import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { pluginUsageQuery } from "../../api/queries";
import type { Plugin } from "../../api/types";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Skeleton } from "../../components/Skeleton";
import { Ago } from "../../components/Time";
import { count } from "../../lib/text";
import { duration, isSet } from "../../lib/time";
import { usedBy } from "./describe";
import styles from "./PluginsPage.module.css";

/** Which workflows would stand still without the plugin. */
function Usage({ name }: { name: string }) {
  const usage = useQuery(pluginUsageQuery(name));
  if (usage.error) {
    return (
      <ErrorNotice
        error={usage.error}
        doing="The workflows that use it could not be loaded"
        onRetry={() => void usage.refetch()}
        retrying={usage.isFetching}
      />
    );
  }
  if (!usage.data) return <Skeleton width={220} />;
  const workflows = usedBy(usage.data);
  if (workflows.length === 0) return "None";
  return (
    <ul className={styles.used}>
      {workflows.map(({ id, name: title, steps }) => (
        <li key={id}>
          <Link href={`/workflows/${encodeURIComponent(id)}`}>{title}</Link>
          <span className={styles.hint}>{steps > 0 ? count(steps, "step") : "by its type"}</span>
        </li>
      ))}
    </ul>
  );
}

function LastWords({ words }: { words: readonly string[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a text that scrolls must be reached by keyboard.
    <pre className={styles.words} tabIndex={0}>
      {words.join("\n")}
    </pre>
  );
}

function Codes({ words }: { words: readonly string[] }) {
  return (
    <span className={styles.handlers}>
      {words.map((word) => (
        <code key={word}>{word}</code>
      ))}
    </span>
  );
}

function processOf(plugin: Plugin): [string, ReactNode][] {
  const facts: [string, ReactNode][] = [];
  if (plugin.pid) facts.push(["Process", plugin.pid]);
  if (isSet(plugin.started_at)) facts.push(["Started", <Ago key="started" time={plugin.started_at} />]);
  facts.push(["Restarts", plugin.restarts]);
  if (plugin.cpu_seconds > 0) facts.push(["Processor time", duration(plugin.cpu_seconds)]);
  if (plugin.waiting > 0) facts.push(["Waiting calls", plugin.waiting]);
  if (plugin.draining > 0) facts.push(["On an earlier version", count(plugin.draining, "call")]);
  if (plugin.calls > 0) {
    const { p50, p95 } = plugin.latency;
    facts.push(["Duration of calls", `median ${duration(p50)}, 95th percentile ${duration(p95)}`]);
  }
  if (isSet(plugin.next_start)) facts.push(["May start again", <Ago key="next" time={plugin.next_start} />]);
  if (isSet(plugin.disabled_at)) {
    facts.push([
      "Disabled",
      <span key="disabled">
        <Ago time={plugin.disabled_at} />
        {plugin.disabled_by && ` by ${plugin.disabled_by}`}
      </span>,
    ]);
  }
  return facts;
}

/** All that is known of a plugin. */
export function Details({ plugin }: { plugin: Plugin }) {
  const facts: [string, ReactNode][] = [
    ["Used by", <Usage key="usage" name={plugin.name} />],
    ["Handlers", plugin.handlers.length > 0 ? <Codes key="handlers" words={plugin.handlers} /> : "None"],
  ];
  if (plugin.workflow_types && plugin.workflow_types.length > 0) {
    facts.push(["Workflow types", <Codes key="types" words={plugin.workflow_types} />]);
  }
  facts.push(["File", <code key="file">{plugin.path}</code>]);
  if (plugin.checksum) facts.push(["SHA-256", <code key="sum">{plugin.checksum}</code>]);
  if (plugin.build) facts.push(["Built from", <code key="build">{plugin.build}</code>]);
  if (plugin.author) facts.push(["Author", plugin.author]);
  facts.push(...processOf(plugin));
  if (plugin.last_error) {
    facts.push([
      "Last error",
      <span key="error" className={styles.bad}>
        {plugin.last_error}
      </span>,
    ]);
  }
  if (plugin.last_words && plugin.last_words.length > 0) {
    facts.push(["Last words", <LastWords key="words" words={plugin.last_words} />]);
  }
  return (
    <dl className={styles.parts}>
      {facts.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
