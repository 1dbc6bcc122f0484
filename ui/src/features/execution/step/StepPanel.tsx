import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { IconButton } from "../../../components/Button";
import { StatusPill } from "../../../components/StatusPill";
import { useKept } from "../../../components/useKept";
import { useRunPage } from "../context";
import { StepDetails } from "./StepDetails";
import styles from "./StepPanel.module.css";

/** What there is to know of the chosen step: beside the views, or over the page where there is no room. */
export function StepPanel({ beside }: { beside: boolean }) {
  const { run, step } = useRunPage();
  const result = step === undefined ? undefined : run.result.step_results[step];
  const stays = useRef(beside);
  stays.current = beside;
  const { drawn, place } = useKept(result && <StepDetails key={result.step_id} result={result} />);
  return (
    <>
      {beside ? (
        result && (
          <Aside key={step} id={result.step_id}>
            {place}
          </Aside>
        )
      ) : (
        <Sheet id={result?.step_id} finalFocus={() => !stays.current}>
          {place}
        </Sheet>
      )}
      {drawn}
    </>
  );
}

interface SheetProps {
  id: string | undefined;
  /** Whether the focus goes back to where it was: not where the step goes on beside the views, and keeps it. */
  finalFocus: () => boolean;
  children: ReactNode;
}

function Sheet({ id, finalFocus, children }: SheetProps) {
  const { select } = useRunPage();
  return (
    <Base.Root open={id !== undefined} onOpenChange={(open) => !open && select(null)}>
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup className={styles.sheet} finalFocus={finalFocus}>
          {id !== undefined && (
            <>
              <Head id={id} title={(name) => <Base.Title className={styles.title}>{name}</Base.Title>} />
              <div className={styles.body}>{children}</div>
            </>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

function Aside({ id, children }: { id: string; children: ReactNode }) {
  const { run, select } = useRunPage();
  const result = run.result.step_results[id]!;
  const panel = useRef<HTMLElement>(null);
  const onEscape = useRef(() => select(null));
  onEscape.current = () => select(null);
  useEffect(() => {
    const element = panel.current;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      onEscape.current();
    };
    element?.addEventListener("keydown", onKeyDown);
    return () => element?.removeEventListener("keydown", onKeyDown);
  }, []);
  return (
    <aside ref={panel} className={styles.aside} aria-label={`Step ${result.step_name}`}>
      <Head id={id} title={(name) => <h2 className={styles.title}>{name}</h2>} />
      <div className={styles.body}>{children}</div>
    </aside>
  );
}

function Head({ id, title }: { id: string; title: (name: string) => ReactNode }) {
  const { run, select } = useRunPage();
  const result = run.result.step_results[id]!;
  return (
    <header className={styles.head}>
      <div className={styles.names}>
        {title(result.step_name)}
        <p className={styles.ids}>
          <StatusPill status={result.status} size="small" />
          <code>{id}</code>
          <code>{result.handler}</code>
        </p>
      </div>
      <IconButton label="Close the step" icon={<X />} size="small" onClick={() => select(null)} />
    </header>
  );
}
