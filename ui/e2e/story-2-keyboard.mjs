// A person who uses no pointer builds a workflow, saves and runs it.
import assert from "node:assert/strict";
import { card, edgeIds, eventually, focusedStep, save, stepIds } from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

area("story-2-keyboard", {}, (test) => {
  test("story 2: six steps in parallel branches are built, saved and run by keyboard alone", async ({
    server,
    open,
  }) => {
    // An empty workflow can only be a draft.
    const made = await server.api("workflows/?draft=true", {
      method: "POST",
      body: { name: "By keyboard", steps: [] },
    });
    const page = await open(`/vwmp/designer/${made.id}`);
    page.workflowId = made.id;
    await page.getByText("No steps yet").waitFor({ timeout: 40_000 });
    const keys = page.keyboard;

    /** Adds a step of the handler after the one that has the focus, and waits until it has it itself. */
    const add = async (handler, id) => {
      await keys.press("/");
      await page.getByRole("dialog", { name: "Add a step" }).getByRole("option").first().waitFor();
      await keys.type(handler);
      await keys.press("Enter");
      await eventually(async () => (await focusedStep(page)) === id, `the focus on ${id}`);
    };
    /** Goes to the step above or left until the focus is on it. */
    const goTo = async (id, ...arrows) => {
      for (const arrow of arrows) await keys.press(arrow);
      await eventually(async () => (await focusedStep(page)) === id, `the focus on ${id}`);
    };
    const connectTo = async (id) => {
      await keys.press("c");
      await page
        .getByRole("dialog", { name: /Connect/ })
        .getByRole("option")
        .first()
        .waitFor();
      await keys.type(id);
      await keys.press("Enter");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    };

    await add("flow.log", "log");
    await add("flow.log", "log-2");
    await goTo("log", "ArrowLeft");
    await add("flow.log", "log-3");
    await goTo("log", "ArrowLeft");
    await add("flow.log", "log-4");
    await add("flow.log", "log-5");
    await goTo("log-4", "ArrowLeft");
    await goTo("log-3", "ArrowUp");
    await connectTo("log-5");
    await goTo("log-2", "ArrowUp");
    await connectTo("log-5");
    await goTo("log-5", "ArrowRight");
    await add("flow.log", "log-6");
    await keys.press("t");
    await eventually(async () => (await stepIds(page)).length === 6, "all six cards");
    const wanted = ["log>log-2", "log>log-3", "log>log-4", "log-2>log-5", "log-3>log-5", "log-4>log-5", "log-5>log-6"];
    await eventually(async () => assert.deepEqual(await edgeIds(page), wanted.sort()));

    // Each log needs its message: Enter leads into the settings, Tab to the field, Escape back.
    for (const id of ["log", "log-2", "log-3", "log-4", "log-5", "log-6"]) {
      await keys.press("Home");
      await goToByWalking(page, id);
      await keys.press("Enter");
      const message = page.getByRole("complementary", { name: "Settings" }).getByRole("combobox", { name: /^Message/ });
      const field = (await message.count()) > 0 ? message : page.getByLabel(/^Message/).first();
      await field.waitFor();
      await eventually(async () => {
        if (await field.evaluate((own) => own === document.activeElement)) return true;
        await keys.press("Tab");
        return false;
      }, "Tab to the message");
      await keys.type(`from ${id}`);
      await keys.press("Escape");
      await eventually(async () => (await focusedStep(page)) === id, "Escape back to the step");
    }
    const saved = await save(page, server);
    assert.equal(saved.valid ?? true, true, JSON.stringify(saved.problems));
    assert.deepEqual(saved.steps.find((step) => step.id === "log-5").dependencies.sort(), ["log-2", "log-3", "log-4"]);
    assert.deepEqual(
      saved.steps.map((step) => step.config.message),
      saved.steps.map((step) => `from ${step.id}`),
    );

    const execute = page.getByRole("button", { name: "Execute", exact: true });
    await eventually(async () => {
      if (await execute.evaluate((own) => own === document.activeElement)) return true;
      await keys.press("Shift+Tab");
      return false;
    }, "Shift+Tab to Execute");
    await keys.press("Enter");
    await eventually(
      async () => {
        const { executions } = await server.api(`executions/?workflow_id=${made.id}`);
        return executions[0]?.status === "success";
      },
      "the run's success",
      30_000,
    );
    await card(page, "log-6").getByText("Success").waitFor({ timeout: 30_000 });
  });
});

/** Walks from the first step to another by arrows alone: right along connections, up and down between branches. */
async function goToByWalking(page, id) {
  const seen = new Set();
  for (const arrow of ["", "ArrowRight", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"]) {
    if (arrow) await page.keyboard.press(arrow);
    const at = await eventually(() => focusedStep(page), "a step with the focus");
    seen.add(at);
    if (at === id) return;
  }
  throw new Error(`arrows led to ${[...seen].join(", ")}, not to ${id}`);
}
