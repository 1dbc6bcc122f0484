import { Tabs } from "@base-ui/react/tabs";
import { useQuery } from "@tanstack/react-query";
import { CircleAlert, PanelRight, PanelRightClose, TriangleAlert, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { typesQuery } from "../../api/queries";
import { useAnnounced } from "../../components/announce";
import { Button, IconButton } from "../../components/Button";
import { cx } from "../../components/cx";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Skeleton } from "../../components/Skeleton";
import { count } from "../../lib/text";
import { useDesignerStore } from "../designer/context";
import { useSavingSession } from "../designer/saving/useSaving";
import { usePanel, useViewStore } from "../designer/view";
import { useHandlers } from "../graph/handlers";
import type { Known } from "./complete";
import { SourceController } from "./controller";
import styles from "./SourceView.module.css";
import { type Format, type TextSession, textOf } from "./session";

const formats: { format: Format; label: string }[] = [
  { format: "yaml", label: "YAML" },
  { format: "json", label: "JSON" },
];

/** What completion knows, always the newest of it. */
function useKnown(): () => Known {
  const store = useDesignerStore();
  const handlers = useHandlers();
  const types = useQuery(typesQuery);
  const latest = useRef({ handlers, types: types.data });
  latest.current = { handlers, types: types.data };
  return useRef(() => ({
    document: store.getState().document,
    handlers: latest.current.handlers ?? new Map(),
    types: latest.current.types ?? [],
  })).current;
}

function Problems({ controller }: { controller: SourceController }) {
  const { list } = useStore(controller.problems);
  if (list.length === 0) return <p className={styles.fine}>No problems in the text.</p>;
  return (
    <section className={styles.problems} aria-label="Problems of the text">
      <h3>{count(list.length, "problem")}</h3>
      <ul>
        {list.map(({ from, line, message, severity }) => (
          <li key={`${from} ${message}`}>
            <button type="button" onClick={() => controller.goTo(from)} data-kind={severity}>
              {severity === "error" ? (
                <CircleAlert size={14} aria-label="Problem" />
              ) : (
                <TriangleAlert size={14} aria-label="Warning" />
              )}
              <span>
                <span className={styles.line}>Line {line}: </span>
                {message}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Editor({ session, format }: { session: TextSession; format: Format }) {
  const store = useDesignerStore();
  const known = useKnown();
  const view = useViewStore();
  const place = useRef<HTMLDivElement>(null);
  const [controller, setController] = useState<SourceController | null>(null);
  useEffect(() => {
    const label = format === "yaml" ? "Workflow as YAML" : "Workflow as JSON";
    const reveal = (id: string) => view.getState().canvas?.reveal(id, { centre: false });
    const made = new SourceController({ parent: place.current!, session, store, format, label, known, reveal });
    setController(made);
    return () => {
      setController(null);
      made.destroy();
    };
  }, [session, store, view, format, known]);
  return (
    <>
      <div ref={place} className={styles.editor} />
      {controller && <Problems controller={controller} />}
    </>
  );
}

function Told({ session }: { session: TextSession }) {
  const { problems, rewritten } = useStore(session.state);
  const broken = problems.yaml.length > 0 ? "YAML" : problems.json.length > 0 ? "JSON" : null;
  const text = broken
    ? `The ${broken} can't be read. The canvas shows the last state that could.`
    : rewritten
      ? "The text's form (anchors, or comments in brackets) did not take the change, so it was written anew and its comments are gone. Undo brings them back."
      : "";
  useAnnounced(text);
  if (broken) {
    return (
      <div className={styles.told}>
        <p>{text}</p>
        <Button size="small" onClick={() => session.discardBroken()}>
          Back to that state
        </Button>
      </div>
    );
  }
  return text && <p className={styles.told}>{text}</p>;
}

/** The workflow as text, beside the canvas or instead of it. */
export default function SourceView() {
  const store = useDesignerStore();
  const saving = useSavingSession();
  const session = textOf(store);
  const { status, error } = useStore(session.state);
  const [, setPanel] = usePanel();
  const [format, setFormat] = useState<Format>("yaml");
  const [alone, setAlone] = useState(false);
  useEffect(() => {
    void saving.openText();
  }, [saving]);
  return (
    <section className={cx(styles.source, alone && styles.alone)} aria-label="Source">
      <Tabs.Root className={styles.tabs} value={format} onValueChange={(next) => setFormat(next as Format)}>
        <header className={styles.head}>
          <h2 className="visually-hidden">Source</h2>
          <Tabs.List className={styles.list} aria-label="Form of the text">
            {formats.map((each) => (
              <Tabs.Tab key={each.format} value={each.format} className={styles.tab}>
                {each.label}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <IconButton
            size="small"
            label={alone ? "Beside the canvas" : "Instead of the canvas"}
            icon={alone ? <PanelRightClose /> : <PanelRight />}
            aria-pressed={alone}
            className={styles.wide}
            onClick={() => setAlone(!alone)}
          />
          <IconButton size="small" label="Close the source" icon={<X />} onClick={() => setPanel(null)} />
        </header>
        <Told session={session} />
        {formats.map((each) => (
          <Tabs.Panel key={each.format} value={each.format} className={styles.panel} tabIndex={-1}>
            {status === "failed" && (
              <ErrorNotice error={error} doing="The text could not be loaded" onRetry={() => session.reload()} />
            )}
            {status === "loading" && <Skeleton height={240} />}
            {status === "ready" && <Editor session={session} format={each.format} />}
          </Tabs.Panel>
        ))}
      </Tabs.Root>
    </section>
  );
}
