import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { client, take } from "../../../api/client";
import { keys } from "../../../api/queries";
import type { Json } from "../../../api/types";
import buttonStyles from "../../../components/Button.module.css";
import { CopyButton } from "../../../components/CopyButton";
import { cx } from "../../../components/cx";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { JsonTree } from "../../../components/JsonTree";
import { Skeleton } from "../../../components/Skeleton";
import { bytes, capital, listed } from "../../../lib/text";
import { LogText } from "../../run/LogText";
import { useRunPage } from "../context";
import { fileAddress } from "../links";
import { type Named, namedOutput, shownSize } from "../model/payload";
import { Section } from "./Section";
import styles from "./StepDetails.module.css";

function Save({ path, label }: { path: string; label: string }) {
  const { id } = useRunPage();
  return (
    <a
      className={cx(buttonStyles.button, buttonStyles.secondary, buttonStyles.small)}
      href={fileAddress(id, path)}
      download
    >
      <Download />
      {label}
    </a>
  );
}

interface TooLargeProps {
  size: number;
  preview: string;
  /** Where the whole is. */
  path: string;
  what: string;
}

function TooLarge({ size, preview, path, what }: TooLargeProps) {
  const { shown } = useRunPage();
  return (
    <>
      <p className={styles.hint}>It has {bytes(size)}, too much to be shown here. This is its beginning:</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <pre className={styles.preview} tabIndex={0}>
        <LogText text={shown.text(preview)} />…
      </pre>
      <Save path={path} label={`Download the ${what}`} />
    </>
  );
}

function query(item: number | undefined, more = ""): string {
  const parts = [item === undefined ? "" : `item=${item}`, more].filter(Boolean);
  return parts.length > 0 ? `?${parts.join("&")}` : "";
}

interface PayloadProps {
  step: string;
  item?: number;
}

/** What a step was called with. */
export function Input({ step, item }: PayloadProps) {
  const { id, shown } = useRunPage();
  const input = useQuery({
    queryKey: [...keys.execution(id), "input", step, item],
    queryFn: ({ signal }) =>
      take(
        client.GET("/api/vwmp/executions/{id}/steps/{step}/input/", {
          params: { path: { id, step }, query: { item } },
          signal,
        }),
      ),
  });
  const { data } = input;
  const config = (data?.config ?? {}) as Json;
  return (
    <Section
      title="Input"
      aside={
        data && !data.preview && <CopyButton iconOnly label="Copy input" text={() => JSON.stringify(config, null, 2)} />
      }
    >
      {input.isError && (
        <ErrorNotice error={input.error} doing="The input could not be loaded" onRetry={() => void input.refetch()} />
      )}
      {input.isPending && <Skeleton width="60%" />}
      {data && !data.resolved && <p className={styles.hint}>As the definition has it: {data.reason}.</p>}
      {data && data.as_written.length > 0 && (
        <p className={styles.hint}>
          {capital(listed(data.as_written))} stand for values of the server, which are not shown.
        </p>
      )}
      {data &&
        (data.preview ? (
          <TooLarge
            size={data.size}
            preview={data.preview}
            path={`steps/${step}/input/${query(item, "whole=true")}`}
            what="input"
          />
        ) : Object.keys(config as object).length === 0 ? (
          <p className={styles.hint}>It needs none.</p>
        ) : (
          <JsonTree value={config} shown={shown.value} />
        ))}
    </Section>
  );
}

/** What a step gave on. */
export function Output({ step, item, output, ended }: PayloadProps & { output: unknown; ended: boolean }) {
  const { shown } = useRunPage();
  const named = namedOutput(output);
  if (named) return <NamedOutput step={step} item={item} named={named} />;
  if (output === undefined && !ended) return null;
  return (
    <Section
      title="Output"
      aside={
        output !== undefined && <CopyButton iconOnly label="Copy output" text={() => JSON.stringify(output, null, 2)} />
      }
    >
      {output === undefined ? (
        <p className={styles.hint}>It gave none.</p>
      ) : (
        <JsonTree value={output as Json} shown={shown.value} />
      )}
    </Section>
  );
}

/** An output that the result only names: small enough it is fetched, else it can be saved. */
function NamedOutput({ step, item, named }: PayloadProps & { named: Named }) {
  const { id, shown } = useRunPage();
  const path = `steps/${step}/output/${query(item)}`;
  const small = named.size <= shownSize;
  const whole = useQuery({
    queryKey: [...keys.execution(id), "output", named.sha256],
    queryFn: async ({ signal }) =>
      (await take(
        client.GET("/api/vwmp/executions/{id}/steps/{step}/output/", {
          params: { path: { id, step }, query: { item } },
          signal,
        }),
      )) as Json,
    enabled: small,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Section title="Output" aside={small && <Save path={path} label="Download" />}>
      {!small && <TooLarge size={named.size} preview={named.preview} path={path} what="output" />}
      {small && whole.isPending && <Skeleton width="60%" />}
      {whole.isError && <ErrorNotice error={whole.error} doing="The output could not be loaded" />}
      {whole.data !== undefined && <JsonTree value={whole.data} shown={shown.value} />}
    </Section>
  );
}
