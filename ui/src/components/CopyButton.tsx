import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { IconButton } from "./Button";

interface CopyButtonProps {
  /** What it copies, as its name: "Copy output". */
  label: string;
  text: () => string;
}

/** Puts a text on the clipboard and says that it did. */
export function CopyButton({ label, text }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <IconButton
      size="small"
      label={copied ? "Copied" : label}
      icon={copied ? <Check /> : <Copy />}
      onClick={() => navigator.clipboard.writeText(text()).then(() => setCopied(true))}
    />
  );
}
