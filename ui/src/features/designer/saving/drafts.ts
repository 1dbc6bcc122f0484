// Drafts that this browser keeps of what was not saved yet. Each open designer
// writes one of its own, so that two tabs never write over each other; a draft
// whose tab is gone is offered to the next designer of the same workflow.
import type { Definition } from "../../../api/types";

export interface Draft {
  /** One for each opened designer. */
  key: string;
  /** The workflow's id; empty for one that was never saved. */
  workflow: string;
  name: string;
  /** The revision that the changes were made on. */
  revision: number;
  /** When it was written, in milliseconds. */
  at: number;
  document: Definition;
  /** The text, where the person edited it. */
  text?: string;
}

const database = "vwmp";
const table = "drafts";
const lockPrefix = "vwmp-draft-";
/** Drafts that nobody wanted for so long are dropped, in milliseconds. */
const longest = 60 * 24 * 3600 * 1000;

let opening: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opening ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(database, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(table, { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  }).catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

async function use<T>(mode: IDBTransactionMode, ask: (drafts: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const transaction = (await open()).transaction(table, mode);
  return new Promise<T>((resolve, reject) => {
    const request = ask(transaction.objectStore(table));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error ?? request.error);
  });
}

export async function putDraft(draft: Draft): Promise<void> {
  await use("readwrite", (drafts) => drafts.put(draft));
}

export async function removeDraft(key: string): Promise<void> {
  await use("readwrite", (drafts) => drafts.delete(key));
}

/** How long a page that is about to be gone may still seem open, in milliseconds. */
const farewell = 2000;

/** The drafts of a workflow whose designers are gone, the newest first. */
export async function leftDrafts(workflow: string): Promise<Draft[]> {
  const all = (await use("readonly", (drafts) => drafts.getAll())) as Draft[];
  await Promise.all(all.filter((draft) => draft.workflow === workflow).map(({ key }) => awaitRelease(key)));
  const open = await openKeys();
  const now = Date.now();
  for (const draft of all) {
    if (now - draft.at > longest && !open.has(draft.key)) await removeDraft(draft.key);
  }
  return all
    .filter((draft) => draft.workflow === workflow && !open.has(draft.key) && now - draft.at <= longest)
    .sort((a, b) => b.at - a.at);
}

/**
 * Says that the designer of this draft is open, in whatever tab, until the
 * function it gives is called or the tab is gone.
 */
export function holdDraft(key: string): () => void {
  // Pages that did not come over TLS or from this machine have no locks; they are offered open drafts too.
  if (!navigator.locks) return () => undefined;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  navigator.locks.request(lockPrefix + key, () => held).catch(() => undefined);
  return release;
}

/** Waits for the designer of a draft to be gone, which after a reload or a crash takes the browser a moment. */
async function awaitRelease(key: string): Promise<void> {
  await navigator.locks
    ?.request(lockPrefix + key, { signal: AbortSignal.timeout(farewell) }, () => undefined)
    .catch(() => undefined);
}

async function openKeys(): Promise<Set<string>> {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  const names = held.map((lock) => lock.name ?? "").filter((name) => name.startsWith(lockPrefix));
  return new Set(names.map((name) => name.slice(lockPrefix.length)));
}
