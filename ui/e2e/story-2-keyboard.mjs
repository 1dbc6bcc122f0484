// A person who uses no pointer builds a workflow in the shape of the Kanban Review, saves and runs it.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { picture } from "./lib/browser.mjs";
import { card, edgeIds, eventually, focusedStep, stepIds } from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

const epic = "board/templates/epic.md";

/** What the review reads: one epic, and the headings that it should have. */
async function makeBoard(workspace) {
  for (const folder of ["epics", "stories", "templates"])
    await mkdir(join(workspace, "board", folder), { recursive: true });
  await writeFile(join(workspace, epic), "# Epic {number}: {title}\n\n## Goal\n\n## Stories\n");
  await writeFile(
    join(workspace, "board/epics/Epic-1.md"),
    "# Epic 1: Reading\n\n**Status**: TODO\n\n## Goal\n\nPeople read what they like to read.\n",
  );
}

/** Ids, with what each waits for: the connections of the template Kanban Review. */
const shape = {
  "review-state": [],
  "check-template-divergence": ["review-state"],
  "check-bloat": ["review-state"],
  "check-repetition": ["review-state"],
  "check-coverage-gaps": ["check-template-divergence", "review-state"],
  "apply-updates": ["check-bloat", "check-coverage-gaps", "check-repetition", "check-template-divergence"],
};

/** A new step is called after its handler. */
const handlerOf = (id) => `kanban.${id.replaceAll("-", "_")}`;

area("story-2-keyboard", {}, (test) => {
  test("story 2: the Kanban Review is built on an empty canvas, saved and run by keyboard alone", async ({
    server,
    open,
  }) => {
    await makeBoard(server.workspace);
    const page = await open("/vwmp/designer");
    const keys = page.keyboard;
    const hasFocus = (locator) => locator.evaluate((own) => own === document.activeElement);
    /** Presses Tab (or Shift+Tab) until what is meant has the focus. */
    const tabTo = async (locator, what, key = "Tab") => {
      await locator.waitFor({ timeout: 40_000 });
      await eventually(async () => {
        if (await hasFocus(locator)) return true;
        await keys.press(key);
        return false;
      }, `${key} to ${what}`);
    };

    await tabTo(page.getByRole("button", { name: "Blank workflow", exact: true }), "the blank workflow");
    await keys.press("Enter");
    await page.getByText("No steps yet").waitFor({ timeout: 40_000 });

    /** Adds a step of the handler after the one that has the focus, and waits until it has it itself. */
    const add = async (id) => {
      await keys.press("/");
      const dialog = page.getByRole("dialog", { name: "Add a step" });
      await dialog.getByRole("option").first().waitFor();
      await keys.type(handlerOf(id));
      await keys.press("Enter");
      await eventually(async () => (await focusedStep(page)) === id, `the focus on ${id}`);
    };
    const goTo = (id) => goToByArrows(page, id);
    const connectTo = async (id) => {
      await keys.press("c");
      const dialog = page.getByRole("dialog", { name: /Connect/ });
      await dialog.getByRole("option").first().waitFor();
      await keys.type(id);
      await keys.press("Enter");
      await dialog.waitFor({ state: "detached" });
    };

    await add("review-state");
    for (const id of ["check-template-divergence", "check-bloat", "check-repetition"]) {
      await goTo("review-state");
      await add(id);
    }
    await goTo("check-template-divergence");
    await add("check-coverage-gaps");
    await goTo("review-state");
    await connectTo("check-coverage-gaps");
    await goTo("check-coverage-gaps");
    await add("apply-updates");
    for (const id of ["check-template-divergence", "check-bloat", "check-repetition"]) {
      await goTo(id);
      await connectTo("apply-updates");
    }
    await keys.press("t");
    await eventually(async () => (await stepIds(page)).length === 6, "all six cards");
    const wanted = Object.entries(shape).flatMap(([to, from]) => from.map((each) => `${each}>${to}`));
    assert.equal(wanted.length, 9);
    await eventually(async () => assert.deepEqual(await edgeIds(page), wanted.sort()));

    // Each looks into another folder than it would by itself: Enter leads into the settings, Tab to the field, Escape back.
    const settings = page.getByRole("complementary", { name: "Settings" });
    const fill = async (name, text) => {
      await tabTo(settings.getByRole("combobox", { name }), `the field ${name}`);
      await keys.press("Control+a");
      await keys.type(text);
    };
    for (const id of Object.keys(shape)) {
      await goTo(id);
      await keys.press("Enter");
      await fill(/^Kanban folder/, "board");
      if (id === "check-template-divergence" || id === "check-coverage-gaps") await fill(/^Epic template/, epic);
      await keys.press("Escape");
      await eventually(async () => (await focusedStep(page)) === id, "Escape back to the step");
    }
    await picture(page, "story-2-1-built");

    await keys.press("Control+s");
    await page.getByText("Saved, version 1").waitFor();
    await page.waitForURL(/\/vwmp\/designer\/[\w-]+/);
    const workflow = new URL(page.url()).pathname.split("/").at(-1);
    const saved = await server.api(`workflows/${workflow}/`);
    assert.equal(saved.valid ?? true, true, JSON.stringify(saved.problems));
    assert.deepEqual(Object.fromEntries(saved.steps.map((step) => [step.id, (step.dependencies ?? []).sort()])), shape);
    for (const step of saved.steps) {
      assert.equal(step.handler, handlerOf(step.id));
      assert.equal(step.config.kanban_root, "board", step.id);
    }
    assert.equal(saved.steps.find(({ id }) => id === "check-template-divergence").config.epic_template, epic);

    await tabTo(page.getByRole("button", { name: "Execute", exact: true }), "Execute", "Shift+Tab");
    await keys.press("Enter");
    for (const id of Object.keys(shape)) await card(page, id).getByText("Success").waitFor({ timeout: 60_000 });
    const { executions } = await server.api(`executions/?workflow_id=${workflow}`);
    const { status, step_results: results } = await server.api(`executions/${executions[0].execution_id}/`);
    assert.equal(status, "success");
    // The epic lacks the heading for its stories; what was built found it.
    assert.equal(results["apply-updates"].output.summary.template_divergences, 1);
    await picture(page, "story-2-2-done");
  });
});

/** Goes to a step by arrows alone, as one does who sees where each of them leads. */
async function goToByArrows(page, wanted) {
  const arrows = ["ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft"];
  const leads = new Map();
  const at = () => eventually(() => focusedStep(page), "a step with the focus");
  /** The arrow with which the shortest known way begins to where one was not tried yet. */
  const firstOfWay = (from) => {
    const ways = [[from, undefined]];
    for (const [id, first] of ways) {
      const known = leads.get(id) ?? {};
      const untried = arrows.find((arrow) => !(arrow in known));
      if (untried) return first ?? untried;
      for (const [arrow, next] of Object.entries(known))
        if (!ways.some(([other]) => other === next)) ways.push([next, first ?? arrow]);
    }
  };
  for (let id = await at(); id !== wanted; ) {
    const arrow = firstOfWay(id);
    if (!arrow) throw new Error(`arrows led to ${[...leads.keys()].join(", ")}, not to ${wanted}`);
    await page.keyboard.press(arrow);
    const next = await at();
    leads.set(id, { ...leads.get(id), [arrow]: next });
    id = next;
  }
}
