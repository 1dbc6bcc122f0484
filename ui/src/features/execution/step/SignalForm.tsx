import { useMutation } from "@tanstack/react-query";
import { Send } from "lucide-react";
import { useState } from "react";
import { signalExecution } from "../../../api/actions";
import type { Json } from "../../../api/types";
import { Button } from "../../../components/Button";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { useRunPage } from "../context";
import { JsonField, parseJson } from "../JsonField";
import styles from "./StepDetails.module.css";

/** Sends the signal that a step waits for. */
export function SignalForm({ name }: { name: string }) {
  const { id } = useRunPage();
  const [text, setText] = useState("");
  const [mistake, setMistake] = useState("");
  const signal = useMutation({ mutationFn: (value: Json) => signalExecution(id, name, value) });
  const send = () => {
    const parsed = parseJson(text);
    setMistake(parsed.ok ? "" : parsed.message);
    if (parsed.ok) signal.mutate(parsed.value ?? null);
  };
  return (
    <section className={styles.answer} data-status="waiting" aria-label="Signal">
      <h3 className={styles.question}>It waits for the signal “{name}”</h3>
      <JsonField
        label="Payload"
        hint="Any JSON; it becomes the output of the step. Leave it empty for none."
        text={text}
        onChange={setText}
        error={mistake}
        rows={3}
      />
      {signal.error && <ErrorNotice error={signal.error} doing="The signal was not sent" />}
      <div className={styles.buttons}>
        <Button kind="primary" icon={<Send />} busy={signal.isPending} onClick={send}>
          Send the signal
        </Button>
      </div>
    </section>
  );
}
