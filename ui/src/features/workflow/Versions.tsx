import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { versionsQuery } from "../../api/queries";
import { useMay } from "../../api/role";
import { LinkButton } from "../../components/Button";
import { Card } from "../../components/Card";
import { ErrorNotice } from "../../components/ErrorNotice";
import { SkeletonRows } from "../../components/SkeletonRows";
import { Cell, type Column, Table } from "../../components/Table";
import { Ago } from "../../components/Time";
import styles from "./WorkflowPage.module.css";

const columns: readonly Column[] = [
  { id: "revision", label: "Version" },
  { id: "time", label: "Saved" },
  { id: "note", label: "Note" },
  { id: "steps", label: "Steps", end: true },
];

/** What was saved, the newest first. asked brings it into view. */
export function Versions({ id, asked }: { id: string; asked: boolean }) {
  const list = useQuery(versionsQuery(id));
  const editor = useMay("editor");
  const place = useRef<HTMLDivElement>(null);
  const there = list.data !== undefined;
  useEffect(() => {
    if (!asked || !there) return;
    place.current?.scrollIntoView({ block: "start" });
    place.current?.focus({ preventScroll: true });
  }, [asked, there]);
  return (
    <div ref={place} tabIndex={-1} id="versions" style={{ outline: "none", scrollMarginTop: 70 }}>
      <Card
        title="Versions"
        aside={
          editor && (
            <LinkButton size="small" href={`/designer/${encodeURIComponent(id)}?panel=history`}>
              Compare and restore
            </LinkButton>
          )
        }
      >
        {list.error && !list.data ? (
          <ErrorNotice
            error={list.error}
            doing="The versions could not be loaded"
            onRetry={() => void list.refetch()}
            retrying={list.isFetching}
          />
        ) : (
          <Table label="Versions" columns={columns} busy={!list.data} dense>
            {list.data ? (
              list.data.map((version) => (
                <tr key={version.revision}>
                  <Cell>
                    <span className={styles.name}>{version.revision}</span>
                    {version.version && <span className={styles.hint}>{version.version}</span>}
                  </Cell>
                  <Cell label="Saved">
                    <Ago time={version.created_at} />
                    {version.author && <span className={styles.hint}>{version.author}</span>}
                  </Cell>
                  <Cell label="Note">
                    {version.message || "–"}
                    {!version.valid && <span className={styles.hint}>A draft with problems</span>}
                  </Cell>
                  <Cell label="Steps" end>
                    {version.step_count}
                  </Cell>
                </tr>
              ))
            ) : (
              <SkeletonRows columns={columns} rows={3} />
            )}
          </Table>
        )}
      </Card>
    </div>
  );
}
