import { Popover } from "@base-ui/react/popover";
import { CircleAlert, CircleCheck, TriangleAlert, Wrench } from "lucide-react";
import { useRef, useState } from "react";
import { useAnnounced } from "../../../components/announce";
import { Button } from "../../../components/Button";
import { tell } from "../../../components/ErrorNotice";
import { count } from "../../../lib/text";
import { lookOf, useHandlers } from "../../graph/handlers";
import { useDesignerState, useDesignerStore } from "../context";
import { type Problem, useFocusField, useProblems } from "../problems";
import { useValidation } from "../validation/useValidation";
import { useViewStore } from "../view";
import styles from "./ProblemsButton.module.css";

/** How many problems the definition has, and their list. Also keeps the list up to date. */
export function ProblemsButton() {
  useValidation();
  const [open, setOpen] = useState(false);
  const errors = useProblems((state) => state.errors);
  const warnings = useProblems((state) => state.warnings);
  const checked = useProblems((state) => state.checked);
  const words = summary(errors, warnings);
  useAnnounced(checked ? words : "");
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger
        render={
          <Button
            kind="quiet"
            className={styles.trigger}
            title={words}
            aria-label={words}
            data-state={errors > 0 ? "errors" : warnings > 0 ? "warnings" : "none"}
            icon={errors > 0 ? <CircleAlert /> : warnings > 0 ? <TriangleAlert /> : <CircleCheck />}
          >
            {errors + warnings > 0 && <span className={styles.words}>{words}</span>}
          </Button>
        }
      />
      <Popover.Portal>
        <Popover.Positioner className={styles.place} sideOffset={6} align="end" collisionPadding={8}>
          <Popover.Popup className={styles.popup}>
            <Popover.Title className={styles.title}>{words}</Popover.Title>
            <ProblemList onLeave={() => setOpen(false)} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

function summary(errors: number, warnings: number): string {
  if (errors > 0) return count(errors, "problem");
  return warnings > 0 ? count(warnings, "warning") : "No problems";
}

function ProblemList({ onLeave }: { onLeave: () => void }) {
  const problems = useProblems((state) => state.problems);
  const failure = useProblems((state) => state.failure);
  const designer = useDesignerStore();
  const view = useViewStore();
  const focusField = useFocusField();
  const list = useRef<HTMLUListElement>(null);
  const go = (problem: Problem) => {
    onLeave();
    designer.getState().select(problem.stepId === undefined ? [] : [problem.stepId]);
    view.getState().set({ settings: true, tab: "settings" });
    if (problem.stepId !== undefined) view.getState().canvas?.reveal(problem.stepId);
    focusField(problem.pointer);
  };
  const repair = (problem: Problem, index: number) => {
    designer.getState().edit(problem.repair!.apply);
    requestAnimationFrame(() => {
      const entries = list.current?.querySelectorAll<HTMLElement>("[data-entry]");
      entries?.[Math.min(index, entries.length - 1)]?.focus();
    });
  };
  return (
    <>
      {failure !== null && (
        <p className={styles.failure}>
          {tell(failure, "The server could not check the workflow").title} These are the problems that this page finds
          by itself.
        </p>
      )}
      {problems.length === 0 && failure === null && (
        <p className={styles.none}>The workflow can be saved and executed as it stands.</p>
      )}
      <ul className={styles.list} ref={list}>
        {problems.map((problem, index) => (
          <Entry
            key={`${problem.pointer} ${problem.code} ${problem.message}`}
            problem={problem}
            onGo={() => go(problem)}
            onRepair={() => repair(problem, index)}
          />
        ))}
      </ul>
    </>
  );
}

interface EntryProps {
  problem: Problem;
  onGo: () => void;
  onRepair: () => void;
}

function Entry({ problem, onGo, onRepair }: EntryProps) {
  const step = useDesignerState((state) => state.document.steps.find(({ id }) => id === problem.stepId));
  const handlers = useHandlers();
  const place = [step ? lookOf(step, handlers).title : "Workflow", problem.field].filter(Boolean).join(" › ");
  return (
    <li className={styles.entry} data-severity={problem.severity}>
      {problem.severity === "error" ? (
        <CircleAlert className={styles.icon} aria-label="Problem" />
      ) : (
        <TriangleAlert className={styles.icon} aria-label="Warning" />
      )}
      <div className={styles.text}>
        <button type="button" className={styles.go} data-entry="" onClick={onGo}>
          <span className={styles.where}>{place}</span>
          <span>{problem.message}</span>
        </button>
        {problem.repair && (
          <Button size="small" icon={<Wrench />} onClick={onRepair}>
            {problem.repair.label}
          </Button>
        )}
      </div>
    </li>
  );
}
