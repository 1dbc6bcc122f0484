// The editor of a workflow's text, tied to the text's session and to the
// designer's store. No React: it is made for an element and ends with it.
import {
  autocompletion,
  type CompletionContext,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import {
  Annotation,
  Compartment,
  EditorState,
  type Extension,
  StateEffect,
  StateField,
  Transaction,
} from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  type ViewUpdate,
} from "@codemirror/view";
import { createStore } from "zustand";
import { send } from "../../api/client";
import type { Validation } from "../../api/types";
import type { DesignerStore } from "../designer/store";
import type { Known } from "./complete";
import { lineOf, offsetOf, type Place, stepAt, stepPlaces } from "./places";
import type { Format, TextSession } from "./session";
import { spoken } from "./spoken";
import { readYaml, type TextProblem } from "./sync";
import { cspNonce, theme } from "./theme";

/** How long typing pauses before the text is read, and before the server is asked, in milliseconds. */
const readAfter = 300;
const askAfter = 500;
/** How long the canvas may be ahead of the text, in milliseconds. */
const followAfter = 120;
/** Steps are looked for in JSON texts up to this length. */
const longestJson = 256 * 1024;

/** Something wrong with the text, as the list shows it. */
export interface ListedProblem {
  from: number;
  to: number;
  line: number;
  message: string;
  severity: "error" | "warning";
}

const fromOutside = Annotation.define<true>();
const setMarks = StateEffect.define<{ step: Place | null; wrong: readonly number[] }>();

const stepLine = Decoration.line({ class: "cm-selectedStep" });
const wrongLine = Decoration.line({ class: "cm-wrongLine" });

/** The lines of the selected step, and those that can't be read. */
const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(shown, transaction) {
    let next = shown.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setMarks)) continue;
      const { step, wrong } = effect.value;
      const { doc } = transaction.state;
      const lines: [number, Decoration][] = [];
      if (step && step.from <= doc.length) {
        const last = doc.lineAt(Math.min(step.to, doc.length)).number;
        for (let n = doc.lineAt(step.from).number; n <= last; n++) lines.push([doc.line(n).from, stepLine]);
      }
      for (const at of wrong) lines.push([doc.lineAt(Math.min(at, doc.length)).from, wrongLine]);
      next = Decoration.set(
        lines.map(([at, line]) => line.range(at)),
        true,
      );
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** The search panel is loaded when it is first asked for. */
function openSearch(view: EditorView): boolean {
  void import("@codemirror/search").then(({ openSearchPanel, search, searchKeymap }) => {
    if (!searching.has(view))
      view.dispatch({ effects: StateEffect.appendConfig.of([search(), keymap.of(searchKeymap)]) });
    searching.add(view);
    openSearchPanel(view);
  });
  return true;
}
const searching = new WeakSet<EditorView>();

async function addJson(view: EditorView): Promise<void> {
  const { json } = await import("@codemirror/lang-json");
  if (view.dom.isConnected) view.dispatch({ effects: StateEffect.appendConfig.of(json()) });
}

interface Options {
  parent: HTMLElement;
  session: TextSession;
  store: DesignerStore;
  format: Format;
  label: string;
  known: () => Known;
  /** Brings a step into view where it is drawn. */
  reveal: (id: string) => void;
}

export class SourceController {
  /** What is wrong with the text. */
  readonly problems = createStore<{ list: readonly ListedProblem[] }>(() => ({ list: [] }));

  readonly #view: EditorView;
  readonly #options: Options;
  readonly #locked = new Compartment();
  readonly #stops: (() => void)[];
  #places: ReadonlyMap<string, Place> = new Map();
  #reading: ReturnType<typeof setTimeout> | undefined;
  #following: ReturnType<typeof setTimeout> | undefined;
  #asking: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;
  /** What the server found, of the text that it was asked about. */
  #found: { of: string; list: readonly ListedProblem[] } = { of: "", list: [] };
  /** The definition that the JSON text shows. */
  #shown: unknown;

  constructor(options: Options) {
    this.#options = options;
    const { parent, store, session } = options;
    this.#view = new EditorView({
      parent,
      state: EditorState.create({ doc: this.#text(), extensions: this.#extensions() }),
    });
    this.#shown = store.getState().document;
    this.#stops = [
      session.state.subscribe(() => this.#outside()),
      store.subscribe((now, before) => {
        if (now.document !== before.document) this.#later();
        if (now.selection !== before.selection) this.#showStep();
        const locked = now.locked || now.readOnly;
        if (locked !== (before.locked || before.readOnly)) this.#lock(locked);
      }),
      session.onFlush(() => this.flush()),
    ];
    if (options.format === "json") void addJson(this.#view);
    const { locked, readOnly } = store.getState();
    this.#lock(locked || readOnly);
    this.#fresh();
    this.#showStep();
  }

  destroy(): void {
    this.flush();
    for (const timer of [this.#following, this.#asking]) clearTimeout(timer);
    for (const stop of this.#stops) stop();
    this.#asked++;
    this.#view.destroy();
  }

  /** Puts the cursor to a place of the text. */
  goTo(at: number): void {
    const anchor = Math.min(at, this.#view.state.doc.length);
    this.#view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    this.#view.focus();
  }

  /** Reads what was typed last at once. */
  flush(): void {
    if (this.#reading === undefined) return;
    clearTimeout(this.#reading);
    this.#reading = undefined;
    const text = this.#view.state.doc.toString();
    const { session, store, format } = this.#options;
    if (format === "yaml") session.editYaml(text);
    else {
      session.editJson(text);
      this.#shown = store.getState().document;
    }
    this.#fresh();
    // Who writes a step sees it: a new one may stand outside of what the canvas shows.
    if (this.#view.hasFocus) this.#selectStep(this.#view.state.selection.main.head);
  }

  #text(): string {
    const { session, store, format } = this.#options;
    const { yaml: text, json: broken } = session.state.getState();
    return format === "yaml" ? text : (broken ?? `${JSON.stringify(store.getState().document, null, 2)}\n`);
  }

  #extensions(): Extension {
    const { format, label, known } = this.#options;
    // What is offered is loaded with the first word that is typed.
    const complete = async (context: CompletionContext) => {
      const { completeJson, completeYaml } = await import("./complete");
      return (format === "yaml" ? completeYaml : completeJson)(known)(context);
    };
    return [
      lineNumbers(),
      spoken,
      highlightActiveLineGutter(),
      foldGutter(),
      lintGutter(),
      history(),
      drawSelection(),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      highlightActiveLine(),
      autocompletion({ override: [complete], icons: false }),
      format === "yaml" ? yaml() : [],
      marks,
      theme,
      cspNonce(),
      EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
      this.#locked.of([]),
      keymap.of([
        ...closeBracketsKeymap,
        ...completionKeymap,
        ...defaultKeymap,
        { key: "Mod-f", run: openSearch },
        ...historyKeymap,
        ...foldKeymap,
        ...lintKeymap,
      ]),
      EditorView.updateListener.of((update) => this.#updated(update)),
    ];
  }

  #lock(locked: boolean): void {
    this.#view.dispatch({
      effects: this.#locked.reconfigure(locked ? [EditorState.readOnly.of(true)] : []),
    });
  }

  #updated(update: ViewUpdate): void {
    const outside = update.transactions.some((transaction) => transaction.annotation(fromOutside));
    if (update.docChanged && !outside) {
      clearTimeout(this.#reading);
      this.#reading = setTimeout(() => this.flush(), readAfter);
    }
    const moved = update.transactions.some((transaction) => transaction.isUserEvent("select"));
    if (moved && update.selectionSet && !update.docChanged) this.#selectStep(update.state.selection.main.head);
  }

  // --- the text and the document --------------------------------------------

  /** The document changed: the text follows in a moment. */
  #later(): void {
    clearTimeout(this.#following);
    this.#following = setTimeout(() => {
      this.flush();
      this.#options.session.follow();
      if (this.#options.format === "json") this.#outside();
    }, followAfter);
  }

  /** Takes up a text that changed elsewhere, with what the editor knows of its own kept. */
  #outside(): void {
    if (this.#reading !== undefined) return;
    const { format, store, session } = this.#options;
    if (format === "json") {
      const { document } = store.getState();
      // The text that was typed says it already, in its own layout.
      if (session.state.getState().json === null && document === this.#shown) return;
      this.#shown = document;
    }
    this.#replace(this.#text());
  }

  #replace(text: string): void {
    const { doc } = this.#view.state;
    const old = doc.toString();
    if (old === text) {
      this.#fresh();
      return;
    }
    let from = 0;
    while (from < old.length && old[from] === text[from]) from++;
    let same = 0;
    const most = Math.min(old.length, text.length) - from;
    while (same < most && old[old.length - 1 - same] === text[text.length - 1 - same]) same++;
    this.#view.dispatch({
      changes: { from, to: old.length - same, insert: text.slice(from, text.length - same) },
      annotations: [fromOutside.of(true), Transaction.addToHistory.of(false)],
    });
    this.#fresh();
    this.#showStep();
  }

  // --- places ---------------------------------------------------------------

  /** Looks anew at what the text says: where its steps are, and what is wrong. */
  #fresh(): void {
    const { session, format } = this.#options;
    const text = this.#view.state.doc.toString();
    if (format === "yaml") {
      if (session.read.text === text) this.#places = stepPlaces(session.read);
    } else if (text.length <= longestJson) {
      const read = readYaml(text);
      if (read.raw) this.#places = stepPlaces(read);
    }
    this.#showProblems();
    this.#ask(text);
  }

  #selected(): string | undefined {
    const { selection } = this.#options.store.getState();
    return selection.size === 1 ? [...selection][0] : undefined;
  }

  #selectStep(at: number): void {
    const id = stepAt(this.#places, at);
    const { store, reveal } = this.#options;
    if (id !== undefined && this.#selected() !== id) {
      store.getState().select([id]);
      reveal(id);
    }
    this.#mark();
  }

  /** Shows the selected step's lines, and goes there unless the cursor is in them. */
  #showStep(): void {
    const id = this.#selected();
    const place = id === undefined ? undefined : this.#places.get(id);
    this.#mark();
    if (!place) return;
    const { head } = this.#view.state.selection.main;
    if (head >= place.from && head <= place.to) return;
    const anchor = Math.min(place.from, this.#view.state.doc.length);
    this.#view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
  }

  #mark(): void {
    const id = this.#selected();
    const wrong = this.problems.getState().list.filter(({ severity }) => severity === "error");
    this.#view.dispatch({
      effects: setMarks.of({
        step: (id !== undefined && this.#places.get(id)) || null,
        wrong: wrong.map(({ from }) => from),
      }),
    });
  }

  // --- problems ---------------------------------------------------------------

  #own(): readonly TextProblem[] {
    return this.#options.session.state.getState().problems[this.#options.format];
  }

  #showProblems(): void {
    const text = this.#view.state.doc.toString();
    const own = this.#own().map(({ from, to, message }) => ({
      from: Math.min(from, text.length),
      to: Math.min(to, text.length),
      line: lineOf(text, from),
      message,
      severity: "error" as const,
    }));
    const list = own.length > 0 ? own : this.#found.of === text ? this.#found.list : [];
    this.problems.setState({ list });
    const diagnostics = list.map(
      ({ from, to, message, severity }): Diagnostic => ({ from, to: Math.max(to, from), message, severity }),
    );
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
    this.#mark();
  }

  /** Asks the server what it thinks of the text, once nothing changes for a moment. */
  #ask(text: string): void {
    if (this.#found.of === text) return;
    clearTimeout(this.#asking);
    const number = ++this.#asked;
    if (this.#own().length > 0) return;
    this.#asking = setTimeout(async () => {
      try {
        const answer = await send("/api/vwmp/workflows/validate/", {
          method: "POST",
          body: text,
          headers: { "Content-Type": `application/${this.#options.format}` },
        });
        const { errors, warnings } = (await answer.json()) as Validation;
        if (number !== this.#asked) return;
        this.#found = { of: text, list: [...listed(text, errors, "error"), ...listed(text, warnings, "warning")] };
        this.#showProblems();
      } catch {
        // The connection bar tells of a lost server; the next change asks again.
      }
    }, askAfter);
  }
}

function listed(text: string, items: Validation["errors"], severity: ListedProblem["severity"]): ListedProblem[] {
  return items.map(({ message, line, column }) => {
    const from = line === undefined ? 0 : offsetOf(text, line, column);
    const end = text.indexOf("\n", from);
    return { from, to: end < 0 ? text.length : end, line: line ?? 1, message, severity };
  });
}
