import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, IconButton } from "./Button";

interface CopyButtonProps {
  /** What is copied; a function where making it costs something. */
  text: string | (() => string);
  /** What it does: "Copy output". */
  label: string;
  iconOnly?: boolean;
}

/** Puts a text on the clipboard, and says so for a moment. */
export function CopyButton({ text, label, iconOnly }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () =>
    void navigator.clipboard.writeText(typeof text === "string" ? text : text()).then(() => setCopied(true));
  const icon = copied ? <Check /> : <Copy />;
  const name = copied ? "Copied" : label;
  if (iconOnly) return <IconButton label={name} icon={icon} size="small" onClick={copy} />;
  return (
    <Button size="small" icon={icon} onClick={copy}>
      {name}
    </Button>
  );
}
