// Fields that are one box of text: text, numbers, durations.
import { Eye, EyeOff } from "lucide-react";
import { useRef, useState } from "react";
import type { Json } from "../../../api/types";
import { IconButton } from "../../../components/Button";
import { Field } from "../../../components/Field";
import { exactTime } from "../../../lib/time";
import { useForm, useProblem } from "../context";
import { isVariable } from "../references";
import { isNullable, type JsonSchema, placeholderOf, valueText } from "../schema";
import { typeInto, VariableInput } from "../VariableInput";
import { type FieldProps, helpOf, VariableButton, VariableMark } from "./frame";

interface BoxProps extends FieldProps {
  text: string;
  onText: (text: string) => void;
  multiline?: boolean;
  mono?: boolean;
  masked?: boolean;
  secret?: boolean;
  hint?: string;
  inputMode?: "decimal" | "numeric";
  onBlur?: () => void;
}

function BoxField(props: BoxProps) {
  const { schema, label, pointer, required, text, onText, aside, masked, secret } = props;
  const { variables, disabled, suggestions } = useForm();
  const box = useRef<HTMLInputElement | HTMLTextAreaElement>(null);
  const insert = (reference: string) => {
    const at = box.current;
    if (!at) return;
    // A value that is no text can only be one whole reference.
    const whole = props.inputMode !== undefined || secret;
    typeInto(at, reference, whole ? 0 : (at.selectionStart ?? 0), whole ? at.value.length : at.selectionEnd!, onText);
  };
  return (
    <Field
      label={label}
      hint={props.hint ?? helpOf(schema)}
      error={useProblem(pointer)}
      required={required}
      aside={
        <>
          {variables && isVariable(text) && <VariableMark />}
          <VariableButton label={label} secretsFirst={secret} returnTo={box} onPick={insert} />
          {aside}
        </>
      }
    >
      {(control) => (
        <VariableInput
          boxRef={box}
          value={text}
          onChange={onText}
          onBlur={props.onBlur}
          variables={variables}
          suggestions={suggestions[schema["x-vwmp-widget"] ?? ""]}
          multiline={props.multiline && !masked}
          mono={props.mono}
          type={masked ? "password" : "text"}
          pointer={pointer}
          control={{ ...control, disabled, placeholder: placeholderOf(schema), inputMode: props.inputMode }}
        />
      )}
    </Field>
  );
}

/** What an emptied text field leaves: nothing, or "" where a default would come back otherwise. */
function emptied(schema: JsonSchema, required?: boolean): Json | undefined {
  if (typeof schema.default === "string" && schema.default !== "" && !schema.minLength) return "";
  return required && isNullable(schema) ? null : undefined;
}

interface TextFieldProps extends FieldProps {
  multiline: boolean;
  code: boolean;
  secret: boolean;
}

export function TextField({ multiline, code, secret, ...props }: TextFieldProps) {
  const { schema, pointer, value, required, onChange } = props;
  const { variables } = useForm();
  const [shown, setShown] = useState(false);
  const text = value === undefined || value === null ? "" : valueText(value);
  const literal = secret && text !== "" && !isVariable(text);
  const hint =
    literal && variables
      ? `${helpOf(schema) ?? ""} This text is stored in the workflow, where its readers see it. Store it as a secret and name it by its variable.`
      : localHint(schema, text);
  return (
    <BoxField
      {...props}
      text={text}
      onText={(next) => onChange(next === "" ? emptied(schema, required) : next, { join: pointer })}
      multiline={multiline}
      mono={code || isVariable(text)}
      masked={literal && !shown}
      secret={secret}
      hint={hint}
      aside={
        <>
          {literal && (
            <IconButton
              size="tiny"
              label={shown ? "Hide the text" : "Show the text"}
              icon={shown ? <EyeOff /> : <Eye />}
              onClick={() => setShown(!shown)}
            />
          )}
          {props.aside}
        </>
      }
    />
  );
}

/** Of a point in time, what it is on the reader's clock. */
function localHint(schema: JsonSchema, text: string): string | undefined {
  if (schema.format !== "date-time" || Number.isNaN(Date.parse(text)) || !/[zZ]$|[+-]\d\d:\d\d$/.test(text)) {
    return undefined;
  }
  return `${helpOf(schema) ?? ""} On your clock ${exactTime(text)}.`;
}

const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** Keeps the text as it is typed, so that "1." does not become "1" under the caret. */
function useDraft(value: Json | undefined, parse: (text: string) => Json | undefined) {
  const [draft, setDraft] = useState<string>();
  const stored = value === undefined || value === null ? "" : valueText(value);
  const text = draft !== undefined && same(parse(draft), value) ? draft : stored;
  return { text, setDraft };
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  return a === b || ((a === undefined || a === null) && (b === undefined || b === null));
}

/** A number where the text is one; other text as it stands, which the checks then refuse. */
export function parseNumber(text: string): Json | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  return numberPattern.test(trimmed) ? Number(trimmed) : text;
}

export function NumberField({ whole, ...props }: FieldProps & { whole: boolean }) {
  const { pointer, value, required, schema, onChange } = props;
  const { text, setDraft } = useDraft(value, parseNumber);
  return (
    <BoxField
      {...props}
      text={text}
      inputMode={whole ? "numeric" : "decimal"}
      onText={(next) => {
        setDraft(next);
        onChange(parseNumber(next) ?? (required && isNullable(schema) ? null : undefined), { join: pointer });
      }}
      onBlur={() => setDraft(undefined)}
    />
  );
}

/** A number of seconds, or text such as 2h. */
export function DurationField(props: FieldProps) {
  const { pointer, value, onChange } = props;
  const { text, setDraft } = useDraft(value, parseNumber);
  return (
    <BoxField
      {...props}
      text={text}
      inputMode="decimal"
      onText={(next) => {
        setDraft(next);
        onChange(parseNumber(next), { join: pointer });
      }}
      onBlur={() => setDraft(undefined)}
    />
  );
}
