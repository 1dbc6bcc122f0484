// What tests of the designer share: a workflow opened in it, cards by id, the
// pointer drawn from place to place, and the document as it was saved.
import assert from "node:assert/strict";

/** Steps as short YAML: chain("a", "b:a", "c:a,b") makes b wait for a, and c for both. */
export function steps(...list) {
  return list.map((text) => {
    const [id, after] = text.split(":");
    const step = { id, handler: "flow.log", config: { message: id } };
    return after ? { ...step, dependencies: after.split(",") } : step;
  });
}

/** Stores a workflow and opens it. Gives the page with the id of the workflow. */
export async function openDesigner({ server, open }, document, { search = "", ...options } = {}) {
  const id = await server.workflow(document);
  const page = await open(`/vwmp/designer/${id}${search}`, options);
  page.workflowId = id;
  await page.getByRole("application").waitFor({ timeout: 40_000 });
  if (document.steps?.length > 0) await page.locator("[data-step]").first().waitFor({ timeout: 40_000 });
  return page;
}

export const card = (page, id) => page.locator(`[data-step="${id}"]`);
export const canvas = (page) => page.getByRole("application");
export const pane = (page) => page.locator(".react-flow__pane");
export const edge = (page, from, to) => page.locator(`.react-flow__edge[data-id="${from}>${to}"]`);

/** The middle of an element, in the window. */
export async function middle(locator) {
  const box = await locator.boundingBox();
  assert.ok(box, "the element is not drawn");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** Draws the pointer from one point to another with the button held. */
export async function drag(page, from, to, { steps: moves = 8 } = {}) {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(from.x + (to.x > from.x ? 6 : -6), from.y + 2);
  await page.mouse.move(to.x, to.y, { steps: moves });
  await page.mouse.up();
}

export const output = (page, id) => page.locator(`.react-flow__node[data-id="${id}"] .react-flow__handle.source`);
export const input = (page, id) => page.locator(`.react-flow__node[data-id="${id}"] .react-flow__handle.target`);

/** Ids of the steps in the order that they stand in the page. */
export const stepIds = (page) =>
  page.locator("[data-step]").evaluateAll((cards) => cards.map((card) => card.dataset.step));

/** Connections in the page, as "from>to", sorted. */
export const edgeIds = async (page) =>
  (await page.locator(".react-flow__edge").evaluateAll((edges) => edges.map((each) => each.dataset.id))).sort();

/** Ids of the selected steps. */
export const selectedIds = (page) =>
  page.locator('[data-step][aria-pressed="true"]').evaluateAll((cards) => cards.map((card) => card.dataset.step));

/** The id of the step that has the focus; undefined where none has. */
export const focusedStep = (page) => page.evaluate(() => document.activeElement?.dataset.step);

/** Where a card stands in the graph. */
export const placeOf = (page, id) =>
  page.locator(`.react-flow__node[data-id="${id}"]`).evaluate((node) => {
    const { m41, m42 } = new DOMMatrix(getComputedStyle(node).transform);
    return { x: m41, y: m42 };
  });

export const zoomOf = (page) =>
  page.locator(".react-flow__viewport").evaluate((view) => new DOMMatrix(getComputedStyle(view).transform).a);

/** Has everything in view, without the motion to it: a click on a card that moves misses it. */
export async function showEverything(page) {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.getByRole("button", { name: "Show everything", exact: true }).click();
  await page.evaluate(async () => {
    for (let i = 0; i < 3; i++) await new Promise((drawn) => requestAnimationFrame(drawn));
  });
  await page.emulateMedia({ reducedMotion: null });
}

/** Saves with the keyboard, and gives the definition that the server then has. */
export async function save(page, server) {
  const saved = page.waitForResponse(
    (answer) => answer.request().method() === "PUT" && /\/workflows\//.test(answer.url()),
    {
      timeout: 30_000,
    },
  );
  await page.keyboard.press("Control+s");
  const answer = await saved;
  assert.ok(answer.ok(), `saving: ${answer.status()} ${await answer.text()}`);
  return server.api(`workflows/${page.workflowId}/`);
}

/** Tries until it holds, for what follows an event in its own time. */
export async function eventually(check, what = "it", within = 15_000) {
  const end = Date.now() + within;
  for (;;) {
    try {
      const value = await check();
      if (value !== false) return value;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    if (Date.now() > end) throw new Error(`${what} did not come about within ${within} ms`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** A large workflow: rows of branches that part and meet. About 1.2 connections a step. */
export function large(count) {
  const list = [];
  for (let i = 0; i < count; i++) {
    const dependencies = new Set();
    if (i > 0) dependencies.add(`step-${Math.floor((i * 7) / 8) === i ? i - 1 : Math.max(0, i - 1 - (i % 4))}`);
    if (i > 5 && i % 5 === 0) dependencies.add(`step-${i - 3}`);
    list.push({
      id: `step-${i}`,
      name: `Step number ${i}`,
      handler: ["flow.log", "flow.wait", "flow.signal"][i % 3],
      config: [{ message: "x" }, { duration: 1 }, { name: "go" }][i % 3],
      ...(dependencies.size > 0 && { dependencies: [...dependencies] }),
    });
  }
  return { name: `Large with ${count} steps`, steps: list };
}
