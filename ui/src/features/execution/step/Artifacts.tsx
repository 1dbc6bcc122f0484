import { useQuery } from "@tanstack/react-query";
import { client, take } from "../../../api/client";
import { keys } from "../../../api/queries";
import { bytes } from "../../../lib/text";
import { useRunPage } from "../context";
import { fileAddress } from "../links";
import { Section } from "./Section";
import styles from "./StepDetails.module.css";

/** The files that a step made. */
export function Artifacts({ step }: { step: string }) {
  const { id } = useRunPage();
  const { data } = useQuery({
    queryKey: [...keys.execution(id), "artifacts"],
    queryFn: ({ signal }) =>
      take(
        client.GET("/api/vwmp/executions/{id}/artifacts/", {
          params: { path: { id }, query: { limit: 1000 } },
          signal,
        }),
      ),
  });
  const own = data?.artifacts.filter((artifact) => artifact.step_id === step) ?? [];
  if (own.length === 0) return null;
  return (
    <Section title="Files">
      <ul>
        {own.map((artifact) => (
          <li key={artifact.seq} className={styles.artifact}>
            <a href={fileAddress(id, `artifacts/${artifact.sha256}/`)} download>
              {artifact.path}
            </a>
            <span className={styles.size}>{bytes(artifact.size)}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
