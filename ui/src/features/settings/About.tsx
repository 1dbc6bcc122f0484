import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { aboutQuery, accountQuery } from "../../api/queries";
import type { About as Told } from "../../api/types";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Skeleton } from "../../components/Skeleton";
import { Ago } from "../../components/Time";
import { bytes, capital, count } from "../../lib/text";
import { exactTime } from "../../lib/time";
import styles from "./SettingsPage.module.css";

export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function factsOf({ version, commit, platform, plugin_protocols, started_at, data }: Told): [string, ReactNode][] {
  const facts: [string, ReactNode][] = [["Version", version]];
  if (commit && commit !== "unknown") facts.push(["Commit", <code key="commit">{commit}</code>]);
  if (platform) facts.push(["Platform", platform]);
  facts.push(
    ["Plugin protocol", plugin_protocols.join(", ") || "–"],
    ["Running since", <Ago key="since" time={started_at} />],
    ["Data", `${count(data.workflows, "workflow")}, ${count(data.executions, "execution")}`],
  );
  if (data.file_size > 0) facts.push(["Data file", bytes(data.file_size)]);
  if (data.full) facts.push(["Disk", "There is no room for new executions"]);
  return facts;
}

/** What the server is and how much it keeps. */
export function About() {
  const about = useQuery(aboutQuery);
  if (about.data) return <Facts facts={factsOf(about.data)} />;
  if (about.error) {
    return (
      <ErrorNotice
        error={about.error}
        doing="What the server is could not be loaded"
        onRetry={() => void about.refetch()}
        retrying={about.isFetching}
      />
    );
  }
  return <Skeleton height={180} />;
}

const ways = {
  none: "Nobody signs in: the server runs with --auth none",
  cookie: "In this browser",
  token: "By a token",
  ticket: "By a ticket",
} as const;

/** Who the person is for the server. */
export function SignedIn() {
  const account = useQuery(accountQuery).data;
  if (!account) return <Skeleton height={60} />;
  const facts: [string, ReactNode][] = [
    ["User", account.user],
    ["Role", capital(account.role)],
    ["Teams", account.teams.length > 0 ? account.teams.join(", ") : "None"],
    ["Signed in", ways[account.signed_in_by]],
  ];
  if (account.expires_at) facts.push(["Until", exactTime(account.expires_at)]);
  return <Facts facts={facts} />;
}
