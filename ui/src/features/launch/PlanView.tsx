import { AlertTriangle, CircleHelp, CircleSlash, FilePen, FilePlus2, FileX2, Play, Send, Terminal } from "lucide-react";
import type { ReactNode } from "react";
import type { Preview } from "../../api/actions";
import { capital, count } from "../../lib/text";
import styles from "./PlanView.module.css";

type Step = Preview["steps"][number];
type Effect = NonNullable<Step["effects"]>[number];

const verdicts: { [status: string]: { word: string; icon: ReactNode } } = {
  run: { word: "Runs", icon: <Play /> },
  skip: { word: "Is skipped", icon: <CircleSlash /> },
  unknown: { word: "Not known yet", icon: <CircleHelp /> },
  invalid: { word: "Would fail", icon: <AlertTriangle /> },
};

const actions: { [action: string]: { word: string; icon: ReactNode } } = {
  create: { word: "Creates", icon: <FilePlus2 /> },
  update: { word: "Changes", icon: <FilePen /> },
  delete: { word: "Deletes", icon: <FileX2 /> },
  run: { word: "Runs", icon: <Terminal /> },
  send: { word: "Sends", icon: <Send /> },
};

/** What each step would do, with the differences, and what can't be known before. */
export function PlanView({ plan }: { plan: Preview }) {
  const effects = plan.steps.flatMap((step) => step.effects ?? []);
  const unknown = effects.filter((effect) => !effect.known).length;
  const failing = plan.steps.filter(({ status }) => status === "invalid").length;
  const runs = plan.steps.filter(({ status }) => status === "run").length;
  const words = [
    `${count(runs, "step")} of ${plan.steps.length} would run, with ${count(effects.length, "effect")}.`,
    unknown > 0 && `${count(unknown, "effect")} can't be known before.`,
    failing > 0 && `${count(failing, "step")} would fail as it stands.`,
  ];
  return (
    <div className={styles.plan}>
      <p className={styles.summary}>{words.filter(Boolean).join(" ")}</p>
      <ol className={styles.steps}>
        {plan.steps.map((step) => (
          <PlannedStep key={step.step_id} step={step} />
        ))}
      </ol>
    </div>
  );
}

function PlannedStep({ step }: { step: Step }) {
  const verdict = verdicts[step.status] ?? { word: capital(step.status), icon: <CircleHelp /> };
  return (
    <li className={styles.step} data-verdict={step.status}>
      <div className={styles.head}>
        <h3>{step.step_name}</h3>
        <code>{step.step_id}</code>
        <span className={styles.verdict}>
          {verdict.icon}
          {verdict.word}
        </span>
      </div>
      {step.reason && <p className={styles.reason}>{sentence(step.reason)}</p>}
      {(step.effects ?? []).map((effect, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: effects have no name of their own and don't move.
        <PlannedEffect key={index} effect={effect} />
      ))}
    </li>
  );
}

function sentence(text: string): string {
  return capital(text).replace(/([^.!?])$/, "$1.");
}

function PlannedEffect({ effect }: { effect: Effect }) {
  const action = actions[effect.action] ?? { word: capital(effect.action), icon: <CircleHelp /> };
  return (
    <div className={styles.effect}>
      <p className={styles.what}>
        {action.icon}
        <span>
          {action.word} <code>{effect.target}</code>
          {effect.summary && <span className={styles.effectSummary}>{sentence(effect.summary)}</span>}
        </span>
        {!effect.known && (
          <span className={styles.unknown}>
            <CircleHelp />
            unknown until it runs
          </span>
        )}
      </p>
      {effect.diff && <Diff text={effect.diff} target={effect.target} />}
    </div>
  );
}

const maxLines = 400;

/** A unified diff; signs tell the lines apart, colour only helps. */
function Diff({ text, target }: { text: string; target: string }) {
  const lines = text.replace(/\n$/, "").split("\n");
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keyboard too.
    <figure className={styles.diff} tabIndex={0} aria-label={`Difference of ${target}`}>
      <pre>
        {lines.slice(0, maxLines).map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines don't move.
          <span key={index} data-line={kindOf(line)}>
            {line || " "}
            {"\n"}
          </span>
        ))}
        {lines.length > maxLines && <span>{`… ${count(lines.length - maxLines, "more line")}\n`}</span>}
      </pre>
    </figure>
  );
}

function kindOf(line: string): string | undefined {
  if (line.startsWith("+++") || line.startsWith("---") || line.startsWith("@@")) return "head";
  if (line.startsWith("+")) return "added";
  return line.startsWith("-") ? "removed" : undefined;
}
