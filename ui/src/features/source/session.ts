// The text of an open designer's workflow: what the source view edits, and
// what a save sends. No React.
import { createStore } from "zustand";
import { client, take } from "../../api/client";
import type { Definition } from "../../api/types";
import { CannotSave, sessionOf, type TextKeeper } from "../designer/saving/session";
import type { DesignerStore } from "../designer/store";
import { type ReadText, readJson, readYaml, type TextProblem, updateDefinition, updateYaml, writeYaml } from "./sync";

export type Format = "yaml" | "json";

export interface SourceState {
  status: "loading" | "ready" | "failed";
  error: unknown;
  /** The YAML text as it stands, readable or not. */
  yaml: string;
  /** The JSON text, where it can't be read and so is kept beside the document; else null. */
  json: string | null;
  /** Why the text in this form can't be read. */
  problems: { yaml: readonly TextProblem[]; json: readonly TextProblem[] };
  /** A change on the canvas wrote the text anew: its comments are gone. */
  rewritten: boolean;
}

export class TextSession implements TextKeeper {
  readonly state = createStore<SourceState>(() => ({
    status: "loading",
    error: null,
    yaml: "",
    json: null,
    problems: { yaml: [], json: [] },
    rewritten: false,
  }));

  readonly #store: DesignerStore;
  /** The newest readable text, and the definition that it says. */
  #read: ReadText = readYaml("");
  #said: Definition;
  /** The text that counts as saved: the server's, or the one that was written of its definition. */
  #base = "";
  /** The server keeps this workflow as a text. */
  #kept = false;
  /** The person changed the text since it was saved. */
  #byHand = false;
  /** Texts by the definition they say, so that undo brings a text back whole. */
  readonly #texts = new WeakMap<Definition, ReadText>();
  #loading: Promise<void>;

  /** Editors that may hold words which were not read yet. */
  readonly #editors = new Set<() => void>();

  constructor(store: DesignerStore) {
    this.#store = store;
    this.#said = store.getState().saved.definition;
    this.#loading = this.#load();
  }

  /** Calls back whenever what was typed last has to be read at once. */
  onFlush(read: () => void): () => void {
    this.#editors.add(read);
    return () => this.#editors.delete(read);
  }

  flush(): void {
    for (const read of this.#editors) read();
  }

  async loaded(): Promise<TextSession> {
    await this.#loading;
    return this;
  }

  /** Asks for the saved text again, after it could not be had. */
  reload(): void {
    this.#loading = this.#load();
  }

  async #load(): Promise<void> {
    const { id, revision, definition } = this.#store.getState().saved;
    this.state.setState({ status: "loading", error: null });
    try {
      let text: string | null = null;
      if (id !== null) {
        const path = { id, revision: String(revision) };
        const version = (await take(
          client.GET("/api/vwmp/workflows/{id}/versions/{revision}/", { params: { path } }),
        )) as { format: string; text: string };
        if (version.format === "yaml") text = version.text;
      }
      this.#kept = text !== null;
      this.#base = text ?? writeYaml(definition);
      this.#byHand = false;
      this.#begin(readYaml(this.#base), definition);
      this.follow();
    } catch (error) {
      this.state.setState({ status: "failed", error });
    }
    this.#tellUnsaved();
  }

  /** A text that says this definition is the present one. */
  #begin(read: ReadText, said: Definition): void {
    // Of a draft that can't be read there is nothing to go on from but what the server made of it.
    if (read.raw) this.#readable(read, said);
    else this.#said = said;
    this.state.setState({
      status: "ready",
      error: null,
      yaml: read.text,
      json: null,
      problems: { yaml: read.problems, json: [] },
      rewritten: false,
    });
  }

  #readable(read: ReadText, said: Definition): void {
    this.#read = read;
    this.#said = said;
    this.#texts.set(said, read);
  }

  begin(text: string): void {
    this.#base = text;
    this.#kept = true;
    this.#begin(readYaml(text), this.#store.getState().document);
    this.#tellUnsaved();
  }

  restore(text: string): void {
    this.#byHand = true;
    this.#begin(readYaml(text), this.#store.getState().document);
    this.#tellUnsaved();
  }

  /** The newest readable text, with the places of its nodes. */
  get read(): ReadText {
    return this.#read;
  }

  #broken(): readonly TextProblem[] {
    const { problems } = this.state.getState();
    return problems.yaml.length > 0 ? problems.yaml : problems.json;
  }

  /** Brings the text up to the document. A text that can't be read waits until it can. */
  follow(): void {
    const { document } = this.#store.getState();
    const { status, problems } = this.state.getState();
    if (status !== "ready" || document === this.#said || problems.yaml.length > 0) return;
    const known = this.#texts.get(document);
    const { read, rewritten } = known
      ? { read: known, rewritten: false }
      : updateYaml(this.#read, this.#said, document);
    this.#readable(read, document);
    this.state.setState({ yaml: read.text, rewritten });
    this.#tellUnsaved();
  }

  /** The person changed the YAML text. What can be read reaches the canvas. */
  editYaml(text: string): void {
    if (text === this.state.getState().yaml) return;
    const read = readYaml(text);
    this.#byHand = true;
    this.state.setState(({ problems }) => ({
      yaml: text,
      problems: { ...problems, yaml: read.problems },
      rewritten: false,
    }));
    if (read.raw) {
      const { document } = this.#store.getState();
      const now = updateDefinition(this.#said, this.#read.raw, read.raw);
      if (document === this.#said) {
        this.#readable(read, now);
        this.#store.getState().edit(() => now);
      } else {
        // The canvas changed while the text could not be read: both changes are kept.
        const both = updateDefinition(document, this.#read.raw, read.raw);
        this.#readable(read, now);
        this.#store.getState().edit(() => both);
        this.follow();
      }
    }
    this.#tellUnsaved();
  }

  /** The person changed the JSON text. */
  editJson(text: string): void {
    const { raw, problems } = readJson(text);
    this.state.setState((state) => ({
      json: raw ? null : text,
      problems: { ...state.problems, json: problems },
    }));
    if (raw) this.#store.getState().edit((document) => updateDefinition(document, document, raw));
    this.#tellUnsaved();
  }

  /** Gives the broken text up for the last one that could be read. */
  discardBroken(): void {
    this.state.setState({ yaml: this.#read.text, json: null, problems: { yaml: [], json: [] } });
    this.follow();
    this.#tellUnsaved();
  }

  /** Whether the text says something that only a text can keep. */
  #textUnsaved(): boolean {
    const { yaml, json, status } = this.state.getState();
    return status === "ready" && (json !== null || ((this.#kept || this.#byHand) && yaml !== this.#base));
  }

  #tellUnsaved(): void {
    const textUnsaved = this.#textUnsaved();
    const saving = sessionOf(this.#store).state;
    if (saving.getState().textUnsaved !== textUnsaved) saving.setState({ textUnsaved });
  }

  textOf(document: Definition): string | null {
    const [problem] = this.#broken();
    if (problem) throw new CannotSave(this.#reason(problem));
    if (this.state.getState().status !== "ready") return null;
    const isText = this.#kept || this.#textUnsaved();
    if (document !== this.#store.getState().document) {
      return isText ? updateYaml(this.#read, this.#said, document).read.text : null;
    }
    this.follow();
    return isText ? this.state.getState().yaml : null;
  }

  #reason({ from, message }: TextProblem): string {
    const { yaml, problems, json } = this.state.getState();
    const text = problems.yaml.length > 0 ? yaml : (json ?? "");
    const line = text.slice(0, from).split("\n").length;
    return `The source can't be read, so it can't be saved. Line ${line}: ${message}`;
  }

  editedText(): string | undefined {
    return this.#textUnsaved() ? this.state.getState().yaml : undefined;
  }

  saved(text: string | null): void {
    if (text !== null) this.#kept = true;
    this.#base = text ?? this.state.getState().yaml;
    this.#byHand = false;
    this.#tellUnsaved();
  }
}

const sessions = new WeakMap<DesignerStore, TextSession>();

/** The text of a designer's workflow; the same for the same store. */
export function textOf(store: DesignerStore): TextSession {
  let session = sessions.get(store);
  if (!session) {
    session = new TextSession(store);
    sessions.set(store, session);
  }
  return session;
}
