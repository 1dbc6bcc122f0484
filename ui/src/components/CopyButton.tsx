import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, IconButton } from "./Button";

/** Copies a text, and says so for a moment. */
export function CopyButton({ text, label, iconOnly }: { text: string; label: string; iconOnly?: boolean }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  if (iconOnly)
    return (
      <IconButton label={copied ? "Copied" : label} icon={copied ? <Check /> : <Copy />} size="small" onClick={copy} />
    );
  return (
    <Button size="small" icon={copied ? <Check /> : <Copy />} onClick={copy}>
      {copied ? "Copied" : label}
    </Button>
  );
}
