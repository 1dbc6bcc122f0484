// Saving, as one open designer does it: what is sent, what came of it, who
// else saved meanwhile, and the draft that this browser keeps. No React.
import { createStore } from "zustand";
import { ApiError } from "../../../api/client";
import { events, type WorkflowNotice, workflowNotice } from "../../../api/live";
import type { Definition } from "../../../api/types";
import { type DesignerStore, isUnsaved, sameJson } from "../store";
import { type Draft, holdDraft, leftDrafts, putDraft, removeDraft } from "./drafts";
import { type ExportFormat, exportFile } from "./exporting";
import { type Body, createWorkflow, type Newest, newestRevision, updateWorkflow } from "./server";

/** How long a change may be without a draft, in milliseconds. */
const draftEvery = 2_000;

export type Progress =
  | { kind: "none" }
  | { kind: "saving" }
  | { kind: "saved"; problems: number; rewritten: boolean }
  | { kind: "failed"; error: unknown };

/** A save that can't be tried; the message says why and what to do. */
export class CannotSave extends Error {
  override readonly name = "CannotSave";
}

/** The workflow's text, once the source view was opened. */
export interface TextKeeper {
  /**
   * The text that says this definition; null where the definition itself is
   * to be sent, because nobody edited the text. Throws CannotSave where the
   * text can't be read.
   */
  textOf(document: Definition): string | null;
  /** The text as it stands, readable or not, where the person edited it. */
  editedText(): string | undefined;
  /** After a save: the server's text is this one, or null for one that it made itself. */
  saved(text: string | null): void;
  /** The server's text is another now. */
  reload(): void;
  /** Puts a kept text in the place of the present one. */
  restore(text: string): void;
  /** The text that a new workflow starts with: nobody edited it yet. */
  begin(text: string): void;
  /** Reads what was typed last, without waiting for a pause. */
  flush(): void;
  /** Waits until the saved text is here; where it can't be had, definitions are sent. */
  loaded(): Promise<TextKeeper>;
}

export interface SavingState {
  progress: Progress;
  /** The text differs from the saved one, whatever the definition says. */
  textUnsaved: boolean;
  /** A save was refused because of this newer revision. */
  conflict: Newest | null;
  /** Somebody else saved or deleted it. */
  elsewhere: WorkflowNotice | null;
  /** A draft of an earlier visit that is offered. */
  left: Draft | null;
  /** Drafts can't be kept in this browser. */
  draftError: boolean;
  /** The dialog that saves a copy is open. */
  copying: boolean;
  /** The saved text could not be had as a file. */
  exportFailed: { format: ExportFormat; error: unknown } | null;
}

export interface SavingOptions {
  /** A new workflow was saved for the first time. */
  onCreated?: (id: string) => void;
}

export class SavingSession {
  readonly state = createStore<SavingState>(() => ({
    progress: { kind: "none" },
    textUnsaved: false,
    conflict: null,
    elsewhere: null,
    left: null,
    draftError: false,
    copying: false,
    exportFailed: null,
  }));
  /** The text, once it was asked for. */
  text: TextKeeper | null = null;
  options: SavingOptions = {};

  readonly #store: DesignerStore;
  readonly #key = newKey();
  #running: Promise<boolean> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasDraft = false;
  #heard: WorkflowNotice | null = null;

  constructor(store: DesignerStore) {
    this.#store = store;
  }

  /** The workflow's text; the part that reads texts is loaded for the first question. */
  async openText(): Promise<TextKeeper> {
    const { textOf } = await import("../../source/session");
    this.text ??= textOf(this.#store);
    return this.text.loaded();
  }

  /** Whether anything would be lost with this tab. */
  get unsaved(): boolean {
    return isUnsaved(this.#store.getState()) || this.state.getState().textUnsaved;
  }

  /** The text that a new workflow starts with. */
  async takeText(text: string): Promise<void> {
    (await this.openText()).begin(text);
  }

  /** Keeps drafts and listens to others, until the function it gives is called. */
  start(options: SavingOptions): () => void {
    this.options = options;
    const release = holdDraft(this.#key);
    const stops = [
      this.#store.subscribe(() => this.#changed()),
      this.state.subscribe((now, before) => now.textUnsaved !== before.textUnsaved && this.#changed()),
      events.onEvent((event) => {
        const notice = workflowNotice(event);
        if (notice && notice.workflow_id === this.#store.getState().saved.id) this.#hear(notice);
      }),
      events.onReopen(() => void this.#askRevision()),
    ];
    const hide = () => document.visibilityState === "hidden" && void this.keepDraft();
    document.addEventListener("visibilitychange", hide);
    this.#changed();
    void this.#offerLeft();
    return () => {
      for (const stop of stops) stop();
      document.removeEventListener("visibilitychange", hide);
      clearTimeout(this.#timer);
      this.#timer = undefined;
      void this.keepDraft().finally(release);
    };
  }

  /** Saves what differs; true once the server has it all. */
  async save(message = ""): Promise<boolean> {
    // What was changed during a save is saved by the one after it.
    while (this.#running) await this.#running;
    this.text?.flush();
    if (this.#store.getState().saved.id !== null && !this.unsaved) return true;
    return this.#run(this.#store.getState().saved.revision, message);
  }

  /** Saves over the newer revision of the conflict. */
  async overwrite(): Promise<boolean> {
    const { conflict } = this.state.getState();
    if (!conflict) return this.save();
    return this.#run(conflict.revision, "");
  }

  #run(on: number, message: string): Promise<boolean> {
    this.#running = this.#send(on, message).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #send(on: number, message: string): Promise<boolean> {
    const { document, saved } = this.#store.getState();
    this.state.setState({ progress: { kind: "saving" } });
    try {
      const text = this.text?.textOf(document) ?? null;
      const body: Body = text === null ? { definition: document } : { text };
      const answer =
        saved.id === null ? await createWorkflow(body, message) : await updateWorkflow(saved.id, on, body, message);
      this.#store.getState().markSaved({ id: answer.id, revision: answer.revision, definition: document });
      this.text?.saved(text);
      this.state.setState({
        progress: { kind: "saved", problems: answer.problems, rewritten: answer.rewritten },
        conflict: null,
      });
      this.#judge();
      await this.#afterSave();
      if (saved.id === null) this.options.onCreated?.(answer.id);
      return true;
    } catch (error) {
      this.state.setState({ progress: { kind: "failed", error } });
      if (error instanceof ApiError && error.status === 412) await this.openConflict();
      else if (error instanceof ApiError && error.status === 404 && saved.id !== null) this.#gone(saved.id);
      return false;
    }
  }

  async #afterSave(): Promise<void> {
    if (!this.unsaved) await this.#dropDraft();
  }

  /** Reads the newer revision, and opens the dialog that asks what to do. */
  async openConflict(): Promise<void> {
    const { id } = this.#store.getState().saved;
    if (id === null) return;
    try {
      const newest = await newestRevision(id);
      if (newest) this.state.setState({ conflict: newest });
      else this.#gone(id);
    } catch (error) {
      this.state.setState({ progress: { kind: "failed", error } });
    }
  }

  closeConflict(): void {
    this.state.setState({ conflict: null });
  }

  /** Opens or closes the dialog that saves a copy. */
  askCopy(copying: boolean): void {
    this.state.setState(copying ? { copying, conflict: null } : { copying });
  }

  /** Takes the newest revision in the place of what is here. Undo brings that back. */
  async takeTheirs(): Promise<boolean> {
    const { id } = this.#store.getState().saved;
    if (id === null) return false;
    try {
      const newest = await newestRevision(id);
      if (!newest) {
        this.#gone(id);
        return false;
      }
      const { definition, revision } = newest;
      this.#store.getState().edit(() => definition, { always: true });
      this.#store.getState().markSaved({ id, revision, definition });
      this.text?.reload();
      this.state.setState({ conflict: null, progress: { kind: "none" } });
      this.#judge();
      return true;
    } catch (error) {
      this.state.setState({ progress: { kind: "failed", error } });
      return false;
    }
  }

  /** Saves what is here as a new workflow, and gives its id. This designer then has nothing left to save. */
  async saveCopy(name: string): Promise<string> {
    const { document } = this.#store.getState();
    const copy = { ...document, name };
    // A copy keeps the comments too.
    const text = (await this.openText()).textOf(copy);
    const answer = await createWorkflow(text === null ? { definition: copy } : { text });
    this.forget();
    return answer.id;
  }

  /** Downloads the text that is saved, or says why it can't be had. */
  async exportSaved(format: ExportFormat): Promise<void> {
    const { document, saved } = this.#store.getState();
    if (saved.id === null) return;
    this.dismissExport();
    try {
      await exportFile(saved.id, document.name, format);
    } catch (error) {
      this.state.setState({ exportFailed: { format, error } });
    }
  }

  dismissExport(): void {
    this.state.setState({ exportFailed: null });
  }

  /** Counts what is here as not worth a question. */
  forget(): void {
    const { saved, document } = this.#store.getState();
    this.#store.getState().markSaved({ ...saved, definition: document });
    this.state.setState({ textUnsaved: false, conflict: null });
    void this.#dropDraft();
  }

  // --- others -------------------------------------------------------------

  #hear(notice: WorkflowNotice): void {
    if (!this.#heard || notice.event === "workflow_deleted" || (notice.revision ?? 0) > (this.#heard.revision ?? 0)) {
      this.#heard = notice;
    }
    // The socket may tell of our own save before its answer is here.
    if (!this.#running) this.#judge();
  }

  #judge(): void {
    const heard = this.#heard;
    const newer =
      heard && (heard.event === "workflow_deleted" || (heard.revision ?? 0) > this.#store.getState().saved.revision);
    this.state.setState({ elsewhere: newer ? heard : null });
  }

  #gone(id: string): void {
    this.#hear({ event: "workflow_deleted", workflow_id: id });
    this.#judge();
  }

  dismissElsewhere(): void {
    this.#heard = null;
    this.state.setState({ elsewhere: null });
  }

  /** What was said while there was no connection was not heard. */
  async #askRevision(): Promise<void> {
    const { id } = this.#store.getState().saved;
    if (id === null) return;
    const newest = await newestRevision(id).catch(() => undefined);
    if (newest === null) this.#gone(id);
    else if (newest)
      this.#hear({ event: "workflow_changed", workflow_id: id, revision: newest.revision, by: newest.by });
  }

  // --- drafts -------------------------------------------------------------

  #changed(): void {
    if (this.#timer !== undefined) return;
    if (!this.unsaved && !this.#hasDraft) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.keepDraft();
    }, draftEvery);
  }

  /** Writes the draft now; drops it where there is nothing to keep. */
  async keepDraft(): Promise<void> {
    this.text?.flush();
    if (!this.unsaved) return this.#dropDraft();
    const { document, saved } = this.#store.getState();
    const text = this.text?.editedText();
    try {
      await putDraft({
        key: this.#key,
        workflow: saved.id ?? "",
        name: document.name,
        revision: saved.revision,
        at: Date.now(),
        document,
        ...(text !== undefined && { text }),
      });
      this.#hasDraft = true;
      this.state.setState({ draftError: false });
    } catch {
      // A full or forbidden store: the page says so, and works on.
      this.state.setState({ draftError: true });
    }
  }

  async #dropDraft(): Promise<void> {
    if (!this.#hasDraft) return;
    this.#hasDraft = false;
    await removeDraft(this.#key).catch(() => undefined);
  }

  async #offerLeft(): Promise<void> {
    const { saved } = this.#store.getState();
    if (saved.id === null) return;
    try {
      for (const draft of await leftDrafts(saved.id)) {
        if (draft.text !== undefined || !sameJson(draft.document, saved.definition)) {
          this.state.setState({ left: draft });
          return;
        }
        await removeDraft(draft.key);
      }
      this.state.setState({ left: null });
    } catch {
      this.state.setState({ draftError: true });
    }
  }

  /** Brings the offered draft back. Undo takes it away again. */
  async restoreLeft(): Promise<void> {
    const { left } = this.state.getState();
    if (!left) return;
    const { saved, edit, markSaved } = this.#store.getState();
    edit(() => left.document, { always: true });
    // A draft of an older revision meets the newer one when it is saved.
    markSaved({ ...saved, revision: Math.min(left.revision, saved.revision) });
    if (left.text !== undefined) (await this.openText()).restore(left.text);
    await this.keepDraft();
    await removeDraft(left.key).catch(() => undefined);
    this.state.setState({ left: null });
  }

  async discardLeft(): Promise<void> {
    const { left } = this.state.getState();
    if (left) await removeDraft(left.key).catch(() => undefined);
    await this.#offerLeft();
  }
}

// Ids without a secure context: crypto.randomUUID is missing there.
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("");
}

const sessions = new WeakMap<DesignerStore, SavingSession>();

/** The saving of a designer; the same for the same store. */
export function sessionOf(store: DesignerStore): SavingSession {
  let session = sessions.get(store);
  if (!session) {
    session = new SavingSession(store);
    sessions.set(store, session);
  }
  return session;
}
