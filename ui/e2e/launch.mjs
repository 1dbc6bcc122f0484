// The form that starts a workflow, and the preview of what it would do.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { assertAccessible, assertAccessibleEverywhere, desktop, narrow, phone } from "./lib/browser.mjs";
import { area } from "./lib/suite.mjs";

async function release(server, id) {
  const template = await server.api("workflow-types/release/templates/Standard%20Release/");
  return server.workflow(template.document ?? template, id);
}

async function openForm(open, id, options) {
  const page = await open(`/vwmp/designer/${id}`, options);
  const execute = page.getByRole("button", { name: "Execute", exact: true });
  await execute.click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading").waitFor();
  return { page, dialog };
}

const git = (server, ...args) =>
  spawnSync("git", ["-C", server.options.workspace, ...args], { encoding: "utf8" }).stdout;

const asked = {
  name: "Asked",
  parameters: [
    { name: "summary", type: "string", required: true, label: "Summary", validation: { min_length: 5 } },
    {
      name: "kind",
      type: "enum",
      default: "fix",
      label: "Kind",
      options: [
        { value: "feature", label: "Feature 🚀" },
        { value: "fix", label: "Fix 🐞" },
      ],
    },
    { name: "token", type: "secret", label: "Token" },
    { name: "docs_ok", type: "boolean", label: "Docs are right", validation: { must_be: true } },
  ],
  steps: [
    { id: "a", handler: "flow.log", name: "First", config: { message: "${parameters.summary} ${parameters.kind}" } },
    { id: "b", handler: "flow.log", name: "Always", automatic: true, config: { message: "b" }, dependencies: ["a"] },
  ],
};

area("launch", { demo: true }, (test) => {
  test("point 55: defaults, marks, checks, Ctrl+Enter, and the last values without secrets", async ({
    server,
    open,
  }) => {
    const id = await server.workflow(asked, "asked");
    const { page, dialog } = await openForm(open, id);
    await dialog.getByText("Version 1.").waitFor();
    const summary = dialog.getByRole("textbox", { name: "Summary" });
    assert.equal(await summary.getAttribute("aria-required"), "true");
    const kind = dialog.getByRole("combobox", { name: "Kind" });
    assert.equal(await kind.evaluate((select) => select.selectedOptions[0].text), "Fix 🐞");
    await summary.fill("Hm");
    await page.keyboard.press("Control+Enter");
    await dialog.getByText("At least 5 characters; there are 2.").waitFor();
    await page.waitForFunction(() => document.activeElement?.getAttribute("data-pointer") === "/summary");
    await summary.fill("Works now");
    await kind.selectOption({ label: "Feature 🚀" });
    await dialog.getByRole("textbox", { name: "Token" }).fill("hush-hush");
    await page.keyboard.press("Control+Enter");
    await page.waitForFunction(() => document.activeElement?.getAttribute("data-pointer") === "/docs_ok");
    await dialog.getByRole("checkbox", { name: /Docs are right/ }).check();
    await dialog.locator("summary", { hasText: "Steps" }).click();
    assert.equal(await dialog.getByRole("checkbox", { name: "Always" }).isDisabled(), true);
    await dialog.getByRole("checkbox", { name: "First" }).uncheck();
    await page.keyboard.press("Control+Enter");
    await dialog.waitFor({ state: "detached" });
    const { executions } = await server.api(`executions/?workflow_id=${id}`);
    assert.equal(executions.length, 1);
    await page.waitForFunction(() =>
      [...document.querySelectorAll("*")].some((each) => /of 2/.test(each.textContent ?? "")),
    );
    const result = await server.api(`executions/${executions[0].execution_id}/`);
    assert.equal(result.parameters.summary, "Works now");
    assert.equal(result.parameters.kind, "feature");
    assert.equal(result.step_results.a.status, "skipped");
    const kept = await page.evaluate(() => JSON.stringify(localStorage));
    assert.match(kept, /Works now/);
    assert.doesNotMatch(kept, /hush-hush/);
  });

  test("point 55: what was used last is filled in the next time, but not what is to be confirmed", async ({
    server,
    open,
  }) => {
    const id = await server.workflow(asked, "again");
    const page = await open("/vwmp/");
    await page.evaluate(
      (key) => localStorage.setItem(key, '{"summary":"From before","kind":"feature","docs_ok":true}'),
      `vwmp.last-parameters.${id}`,
    );
    await page.goto(new URL(`/vwmp/designer/${id}`, server.url).href);
    await page.getByRole("button", { name: "Execute", exact: true }).click();
    const dialog = page.getByRole("dialog");
    const summary = dialog.getByRole("textbox", { name: "Summary" });
    await summary.waitFor();
    assert.equal(await summary.inputValue(), "From before");
    assert.equal(await dialog.getByRole("checkbox", { name: /Docs are right/ }).isChecked(), false);
  });

  test("point 56: with unsaved changes it saves first, and executes that version", async ({ server, open }) => {
    const id = await server.workflow(asked, "unsaved");
    const page = await open(`/vwmp/designer/${id}?step=a`);
    const panel = page.getByRole("complementary", { name: "Settings" });
    await panel.getByRole("textbox", { name: "Description", exact: true }).fill("Changed");
    await page.getByRole("button", { name: "Save and execute", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/saved as a new version first/).waitFor();
    await dialog.getByRole("textbox", { name: "Summary" }).fill("Works now");
    await dialog.getByRole("checkbox", { name: /Docs are right/ }).check();
    await dialog.getByRole("button", { name: "Save and execute" }).click();
    await dialog.waitFor({ state: "detached" });
    const [execution] = (await server.api(`executions/?workflow_id=${id}`)).executions;
    const result = await server.api(`executions/${execution.execution_id}/`);
    assert.equal(result.workflow_revision, 2);
    assert.equal((await server.api(`workflows/${id}/`)).steps[0].description, "Changed");
  });

  test("the preview shows the effects of each step with differences, and does nothing", async ({ server, open }) => {
    const id = await release(server, "previewed");
    const before = git(server, "status", "--porcelain") + git(server, "log", "--oneline", "--all");
    const { page, dialog } = await openForm(open, id);
    await dialog.getByRole("textbox", { name: /summary/i }).fill("A preview of it all");
    for (const box of await dialog.getByRole("checkbox").all()) if (await box.isVisible()) await box.check();
    await dialog.getByRole("button", { name: "Preview" }).click();
    await dialog.getByText(/steps? of 10 would run/).waitFor();
    await dialog.getByRole("figure", { name: /Difference of VERSION/ }).waitFor();
    await dialog.getByText("unknown until it runs").first().waitFor();
    await assertAccessible(page, "the preview");
    assert.equal(git(server, "status", "--porcelain") + git(server, "log", "--oneline", "--all"), before);
    assert.equal((await server.api(`executions/?workflow_id=${id}`)).executions.length, 0);
    await dialog.getByRole("button", { name: "Back" }).click();
    assert.equal(await dialog.getByRole("textbox", { name: /summary/i }).inputValue(), "A preview of it all");
  });

  test("the preview fits and has no fault at any width, in either theme, and keeps what was typed", async ({
    server,
    open,
  }) => {
    const id = await release(server, "previewed");
    const { page, dialog } = await openForm(open, id);
    await dialog.getByRole("textbox", { name: /summary/i }).fill("A preview of it all");
    for (const box of await dialog.getByRole("checkbox").all()) if (await box.isVisible()) await box.check();
    await dialog.getByRole("button", { name: "Preview" }).click();
    const difference = dialog.getByRole("figure", { name: /Difference of VERSION/ });
    await difference.waitFor();
    await assertAccessibleEverywhere(page, "the preview", { open: difference });
    await dialog.getByRole("button", { name: "Back" }).click();
    assert.equal(await dialog.getByRole("textbox", { name: /summary/i }).inputValue(), "A preview of it all");
  });

  test("a workflow without parameters can be previewed too", async ({ server, open }) => {
    const id = await server.workflow(
      { name: "Plain", steps: [asked.steps[1]].map(({ dependencies: _, ...step }) => step) },
      "plain",
    );
    const page = await open(`/vwmp/designer/${id}`);
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: /^Preview an execution/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Preview" }).click();
    await dialog.getByText("1 step of 1 would run, with 0 effects.").waitFor();
    assert.equal((await server.api(`executions/?workflow_id=${id}`)).executions.length, 0);
  });

  for (const [name, size] of [
    ["1440", desktop],
    ["390", phone],
    ["320", narrow],
  ]) {
    for (const dark of [false, true]) {
      test(`the form at ${name} px, ${dark ? "dark" : "light"}, fits and has no fault`, async ({ server, open }) => {
        const id = await release(server, "sizes");
        const { page, dialog } = await openForm(open, id, { size, dark });
        await dialog.getByRole("button", { name: "Execute", exact: true }).click();
        await dialog.getByText("This is required.").first().waitFor();
        await assertAccessible(page, `the form at ${name}`);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(over <= 0, `${over} px too wide`);
      });
    }
  }
});
