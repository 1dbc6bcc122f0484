import { CirclePause, CirclePlay, History, Zap } from "lucide-react";
import { useId, useState } from "react";
import { Link } from "wouter";
import { useWhyNot } from "../../api/role";
import type { Trigger } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Button, IconButton } from "../../components/Button";
import { CopyButton } from "../../components/CopyButton";
import { Cell, RowActions } from "../../components/Table";
import { Ago } from "../../components/Time";
import { count } from "../../lib/text";
import { stateOf, stateText, stateTones, typeNames, whenText } from "../trigger-list/describe";
import { Firings, Outcome } from "./Firings";
import styles from "./TriggersPage.module.css";

interface TriggerRowProps {
  trigger: Trigger;
  columns: number;
  busy: boolean;
  onFire: () => void;
  /** Pauses it, or lets it go on. */
  onTurn: () => void;
}

/** Where a webhook is called; whoever may not edit does not see it. */
function Address({ path }: { path: string }) {
  const address = globalThis.location.origin + path;
  return (
    <span className={styles.address}>
      <code title={address}>{address}</code>
      <CopyButton iconOnly label="Copy the address" text={address} />
    </span>
  );
}

/** A trigger: what it waits for, what came of it, and what can be done with it. */
export function TriggerRow({ trigger, columns, busy, onFire, onTurn }: TriggerRowProps) {
  const mayNotPause = useWhyNot("triggers");
  const mayNotFire = useWhyNot("fire");
  const [open, setOpen] = useState(false);
  const listId = useId();
  const state = stateText(trigger);
  const what = `${trigger.trigger_id} of ${trigger.workflow_name}`;
  return (
    <>
      <tr>
        <Cell className={styles.name}>
          <Link href={`/workflows/${encodeURIComponent(trigger.workflow_id)}`}>{trigger.workflow_name}</Link>
          <span className={styles.hint}>
            {typeNames[trigger.type]} · {trigger.trigger_id}
          </span>
        </Cell>
        <Cell label="Fires" className={styles.when}>
          {whenText(trigger)}
          {trigger.hook_path && <Address path={trigger.hook_path} />}
          {trigger.problem && <span className={styles.problem}>{trigger.problem}</span>}
        </Cell>
        <Cell label="State">
          <Badge tone={stateTones[stateOf(trigger)]}>{state.word}</Badge>
          {state.why && <span className={styles.hint}>{state.why}</span>}
        </Cell>
        <Cell label="Next due">{trigger.next_due ? <Ago time={trigger.next_due} /> : "–"}</Cell>
        <Cell label="Last firing">
          {trigger.last_firing ? (
            <span className={styles.last}>
              <Outcome firing={trigger.last_firing} />
              <span className={styles.hint}>
                <Ago time={trigger.last_firing.at} />
              </span>
            </span>
          ) : (
            "Never"
          )}
          {trigger.last_firing?.reason && <span className={styles.hint}>{trigger.last_firing.reason}</span>}
        </Cell>
        <Cell shrink>
          <RowActions>
            <Button
              size="small"
              icon={<Zap />}
              busy={busy}
              aria-label={`Fire now: ${what}`}
              why={mayNotFire}
              onClick={onFire}
            >
              Fire now
            </Button>
            {trigger.enabled && (
              <IconButton
                label={trigger.paused ? `Resume ${what}` : `Pause ${what}`}
                icon={trigger.paused ? <CirclePlay /> : <CirclePause />}
                why={mayNotPause}
                onClick={onTurn}
              />
            )}
            <IconButton
              label={`${count(trigger.firings.length, "firing")} of ${what}`}
              icon={<History />}
              aria-expanded={open}
              aria-controls={open ? listId : undefined}
              aria-pressed={open}
              onClick={() => setOpen(!open)}
            />
          </RowActions>
        </Cell>
      </tr>
      {open && (
        <tr id={listId} className={styles.firings}>
          <td colSpan={columns}>
            <Firings firings={trigger.firings} />
          </td>
        </tr>
      )}
    </>
  );
}
