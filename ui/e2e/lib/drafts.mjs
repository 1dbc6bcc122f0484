// The drafts of unsaved work that a browser keeps.
import { eventually } from "./designer.mjs";

/** Waits until this browser keeps a draft. */
export const hasDraft = (page) => eventually(async () => (await page.evaluate(countDrafts)) > 0, "a kept draft");

/** Waits until it keeps none. */
export const hasNoDraft = (page) => eventually(async () => (await page.evaluate(countDrafts)) === 0, "no draft");

/** Has the pages that this one shows from now on tell when they gave up waiting for drafts that are open elsewhere. */
export async function watchOffers(page) {
  await page.addInitScript(() => {
    window.waitedFor = [];
    const request = navigator.locks.request.bind(navigator.locks);
    navigator.locks.request = (name, ...rest) => {
      const answer = request(name, ...rest);
      const done = () => window.waitedFor.push(name);
      if (rest[0]?.signal) answer.then(done, done);
      return answer;
    };
  });
}

/** Waits until the page has looked for drafts, waited for an open one in vain, and shown what it offers. */
export async function hasLookedForDrafts(page) {
  await page.waitForFunction(() => window.waitedFor?.some((name) => name.startsWith("vwmp-draft-")));
  // It then asks which drafts are open: a later question is answered after it, and two frames draw the answer.
  await page.evaluate(async () => {
    await navigator.locks.query();
    for (let i = 0; i < 2; i++) await new Promise((drawn) => requestAnimationFrame(drawn));
  });
}

function countDrafts() {
  return new Promise((resolve) => {
    const opening = indexedDB.open("vwmp");
    opening.onsuccess = () => {
      const { result } = opening;
      if (!result.objectStoreNames.contains("drafts")) return resolve(0);
      const asked = result.transaction("drafts").objectStore("drafts").count();
      asked.onsuccess = () => resolve(asked.result);
      result.close();
    };
    opening.onupgradeneeded = () => opening.transaction.abort();
    opening.onerror = () => resolve(0);
  });
}
