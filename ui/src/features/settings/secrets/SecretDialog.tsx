import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Eye, EyeOff } from "lucide-react";
import { type FormEvent, useId, useRef, useState } from "react";
import { accountKeys, setSecret } from "../../../api/accounts";
import { Button, IconButton } from "../../../components/Button";
import { cx } from "../../../components/cx";
import { Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Field, fieldStyles } from "../../../components/Field";
import { toast } from "../../../components/toast";
import forms from "../forms.module.css";

const nameRule = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;

interface SecretDialogProps {
  open: boolean;
  /** The secret that gets another value; a new one is set without it. */
  name?: string;
  /** Names that are set already. */
  known: readonly string[];
  onOpenChange: (open: boolean) => void;
  onClosed: () => void;
}

/** Sets a secret: what is written here is never shown again. */
export function SecretDialog({ open, name: old, known, onOpenChange, onClosed }: SecretDialogProps) {
  const queries = useQueryClient();
  const form = useId();
  const root = useRef<HTMLFormElement>(null);
  const first = useRef<HTMLInputElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const [typed, setTyped] = useState("");
  const [value, setValue] = useState("");
  const [shown, setShown] = useState(false);
  const [tried, setTried] = useState(false);
  const name = old ?? typed.trim();
  const wrong = {
    name: nameRule.test(name)
      ? undefined
      : "A name has up to 100 letters, digits, _ and -, and begins with a letter or _.",
    value: value === "" ? "Give a value." : undefined,
  };
  const save = useMutation({
    mutationFn: () => setSecret(name, value),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: accountKeys.secrets });
      toast({ title: old || known.includes(name) ? `“${name}” has a new value` : `“${name}” is set`, kind: "success" });
      onOpenChange(false);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (save.isPending) return;
    setTried(true);
    if (!wrong.name && !wrong.value) return save.mutate();
    // The fields are marked by the next drawing.
    requestAnimationFrame(() => root.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
  };
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => !save.isPending && onOpenChange(next)}
      onClosed={onClosed}
      title={old ? `New value of “${old}”` : "New secret"}
      description={
        old
          ? "The value until now is gone for good. Steps that begin from now on get the new one."
          : "It is kept sealed. Nothing shows it again: not here, not in a log, not in a result."
      }
      initialFocus={old ? area : first}
      actions={
        <>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button kind="primary" type="submit" form={form} busy={save.isPending}>
            {old ? "Replace value" : "Set secret"}
          </Button>
        </>
      }
    >
      <form id={form} ref={root} className={forms.form} onSubmit={submit} noValidate>
        {!old && (
          <Field
            label="Name"
            hint={
              known.includes(name) ? (
                `“${name}” is set already: it gets the new value.`
              ) : (
                <>
                  Steps refer to it as <code>{`\${secrets.${name || "NAME"}}`}</code>
                </>
              )
            }
            error={tried && wrong.name}
            required
          >
            {(control) => (
              <input
                {...control}
                ref={first}
                className={cx(fieldStyles.control, fieldStyles.mono)}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                maxLength={100}
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
              />
            )}
          </Field>
        )}
        <Field
          label="Value"
          hint="It may have several lines, such as a key. Blanks and line ends at its ends are part of it."
          error={tried && wrong.value}
          required
          aside={
            <IconButton
              size="tiny"
              label={shown ? "Hide the value" : "Show the value"}
              icon={shown ? <EyeOff /> : <Eye />}
              aria-pressed={shown}
              onClick={() => setShown(!shown)}
            />
          }
        >
          {(control) => (
            <textarea
              {...control}
              ref={area}
              className={cx(fieldStyles.control, fieldStyles.mono, !shown && forms.dots)}
              rows={5}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              value={value}
              onChange={(event) => setValue(event.target.value)}
            />
          )}
        </Field>
        {save.error && <ErrorNotice error={save.error} doing="The secret could not be set" />}
      </form>
    </Dialog>
  );
}
