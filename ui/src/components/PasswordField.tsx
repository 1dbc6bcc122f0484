import { Eye, EyeOff } from "lucide-react";
import { type ReactNode, type Ref, useState } from "react";
import { IconButton } from "./Button";
import { Field, fieldStyles } from "./Field";

interface PasswordFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** What a password manager is to do with it. */
  autoComplete: "current-password" | "new-password" | "off";
  hint?: ReactNode;
  error?: ReactNode;
  required?: boolean;
  ref?: Ref<HTMLInputElement>;
}

/** A password, in dots until one wants to see it. */
export function PasswordField({ label, value, onChange, autoComplete, ref, ...field }: PasswordFieldProps) {
  const [shown, setShown] = useState(false);
  return (
    <Field
      {...field}
      label={label}
      aside={
        <IconButton
          size="tiny"
          label={shown ? `Hide: ${label}` : `Show: ${label}`}
          icon={shown ? <EyeOff /> : <Eye />}
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
        />
      }
    >
      {(control) => (
        <input
          {...control}
          ref={ref}
          className={fieldStyles.control}
          type={shown ? "text" : "password"}
          autoComplete={autoComplete}
          spellCheck={false}
          maxLength={1024}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
