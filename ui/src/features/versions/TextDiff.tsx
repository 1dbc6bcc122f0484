import { yaml } from "@codemirror/lang-yaml";
import { MergeView } from "@codemirror/merge";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { spoken } from "../source/spoken";
import { cspNonce, theme } from "../source/theme";
import styles from "./TextDiff.module.css";

interface TextDiffProps {
  from: string;
  to: string;
  fromLabel: string;
  toLabel: string;
}

function side(label: string): Extension {
  return [
    lineNumbers(),
    yaml(),
    theme,
    cspNonce(),
    spoken,
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.contentAttributes.of({
      "aria-label": label,
      tabindex: "0",
      role: "textbox",
      "aria-readonly": "true",
      "aria-multiline": "true",
    }),
    EditorView.lineWrapping,
  ];
}

/** Two texts side by side, with what differs marked and the rest folded. */
export default function TextDiff({ from, to, fromLabel, toLabel }: TextDiffProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current) return;
    const view = new MergeView({
      parent: place.current,
      a: { doc: from, extensions: side(fromLabel) },
      b: { doc: to, extensions: side(toLabel) },
      collapseUnchanged: { margin: 3, minSize: 6 },
      gutter: true,
    });
    return () => view.destroy();
  }, [from, to, fromLabel, toLabel]);
  return (
    <div className={styles.diff}>
      <div className={styles.labels} aria-hidden="true">
        <span>{fromLabel}</span>
        <span>{toLabel}</span>
      </div>
      {from === to && <p className={styles.same}>The texts are the same.</p>}
      <div ref={place} className={styles.view} />
    </div>
  );
}
