import { EditorView, ViewPlugin } from "@codemirror/view";
import { announce } from "../../components/announce";

/** Says what a text editor tells screen readers in the app's live region, instead of in one of its own. */
export const spoken = ViewPlugin.define(({ dom }) => {
  const own = dom.querySelector<HTMLElement>(".cm-announced");
  own?.setAttribute("aria-live", "off");
  return {
    update({ transactions }) {
      for (const { effects } of transactions)
        for (const effect of effects) if (effect.is(EditorView.announce)) announce(effect.value);
    },
  };
});
