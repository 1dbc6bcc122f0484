import { CircleAlert, TriangleAlert } from "lucide-react";
import { memo } from "react";
import { isStatus } from "../../api/types";
import { ChangeIcon, ChangeMark, changeColour } from "../../components/ChangeMark";
import { cx } from "../../components/cx";
import { StatusIcon } from "../../components/StatusIcon";
import { StatusPill } from "../../components/StatusPill";
import { capital, count, listed } from "../../lib/text";
import { duration } from "../../lib/time";
import { HandlerIcon } from "./icons";
import styles from "./StepCard.module.css";
import type { StepStatus } from "./status";

export interface StepCardProps {
  id: string;
  title: string;
  /** The lucide name of the handler's icon. */
  icon?: string;
  /** No plugin has the handler: the card is grey and says so. */
  unknown?: boolean;
  /** Switched off in the definition. */
  off?: boolean;
  status?: StepStatus;
  /** Errors and warnings of the definition. */
  problems?: { errors: number; warnings: number };
  selected?: boolean;
  /** Drawn as a plain block, for a zoom at which no text can be read. */
  far?: boolean;
}

/** How long a step took; a skipped one took no time that is worth a word. */
function timeOf(status: StepStatus): string | null {
  return status.duration === undefined || status.status === "skipped" ? null : duration(status.duration);
}

/**
 * The name of a step's card for screen readers: what the card shows, in the
 * same words and order, so that it can be called by what is seen; then the rest.
 */
export function describeStep(
  { id, title, unknown, off, status, problems }: StepCardProps,
  dependencies: readonly string[],
): string {
  const parts = [title];
  if (status?.change) parts.push(status.change, id);
  else if (status) {
    parts.push(status.status);
    const time = timeOf(status);
    if (time) parts.push(time);
    if (status.message) parts.push(status.message);
    parts.push(`id ${id}`);
  } else {
    if (unknown) parts.push("unknown step");
    if (off) parts.push("off");
    // Beside two words the card has no room for the id.
    const wrong = problems?.errors
      ? count(problems.errors, "problem")
      : problems?.warnings && count(problems.warnings, "warning");
    const last = unknown || off ? [wrong, `id ${id}`] : [id, wrong];
    parts.push(...last.filter((part) => typeof part === "string"));
  }
  parts.push(dependencies.length > 0 ? `depends on ${listed(dependencies)}` : "depends on nothing");
  return parts.join(", ");
}

/** short leaves the word out, where others need the room. */
function Problems({ errors, warnings, short }: { errors: number; warnings: number; short?: boolean }) {
  if (errors > 0) {
    return (
      <span className={styles.problems} data-status="failed">
        <CircleAlert size={12} aria-hidden="true" />
        {short ? errors : count(errors, "problem")}
      </span>
    );
  }
  if (warnings === 0) return null;
  return (
    <span className={styles.problems} data-status="skipped">
      <TriangleAlert size={12} aria-hidden="true" />
      {short ? warnings : count(warnings, "warning")}
    </span>
  );
}

/** Line 2: at rest the id and what is wrong with the definition, in a run where the step is. */
function SecondLine({ id, unknown, off, status, problems }: StepCardProps) {
  if (status?.change) {
    return (
      <>
        <ChangeMark change={status.change} /> <code className={styles.id}>{id}</code>
      </>
    );
  }
  if (status) {
    return (
      <>
        <StatusPill status={status.status} size="small" />{" "}
        {timeOf(status) && <span className={styles.duration}>{timeOf(status)}</span>}
      </>
    );
  }
  return (
    <>
      {unknown && (
        <>
          <span className={styles.word}>Unknown step</span>{" "}
        </>
      )}
      {off && (
        <>
          <span className={styles.word}>Off</span>{" "}
        </>
      )}
      {!(unknown || off) && <code className={styles.id}>{id}</code>}{" "}
      {problems && <Problems {...problems} short={unknown} />}
    </>
  );
}

/** A step as the canvas shows it. It only draws; who may focus it, and its name, is the node's affair. */
export const StepCard = memo(function StepCard(props: StepCardProps) {
  // Blanks between the parts are for programs that compare the card's text with its name.
  const { title, icon, unknown, off, status, selected, far } = props;
  const change = status?.change;
  const word = change ? changeColour(change) : status && (isStatus(status.status) ? status.status : "pending");
  if (far) {
    return (
      <div
        className={cx(styles.block, selected && styles.selected, unknown && styles.unknown)}
        data-status={word}
        data-selected={selected || undefined}
      >
        {change ? (
          <ChangeIcon change={change} size={46} />
        ) : word ? (
          <StatusIcon status={word} size={46} />
        ) : (props.problems?.errors ?? 0) > 0 ? (
          <CircleAlert className={styles.blockProblem} size={46} aria-hidden="true" />
        ) : (
          <HandlerIcon name={unknown ? "circle-help" : icon} size={40} />
        )}
      </div>
    );
  }
  return (
    <div
      className={cx(styles.card, selected && styles.selected, unknown && styles.unknown, off && styles.off)}
      data-status={word}
      title={title}
    >
      <span className={styles.tile}>
        <HandlerIcon name={icon} />
      </span>
      <span className={styles.lines}>
        <span className={styles.title}>{title}</span>{" "}
        <span className={styles.second}>
          <SecondLine {...props} />
        </span>
      </span>{" "}
      {status?.message && (
        <span className={styles.message} data-status={word}>
          {capital(status.message)}
        </span>
      )}
    </div>
  );
});
