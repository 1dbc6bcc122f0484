// The settings beside the canvas: forms of schemas, variables, problems.
import assert from "node:assert/strict";
import { assertAccessible, assertAccessibleEverywhere, desktop, narrow, phone, tablet } from "./lib/browser.mjs";
import { eventually } from "./lib/designer.mjs";
import { area, assertInTime } from "./lib/suite.mjs";

const demo = {
  name: "Demo",
  config: { target: "prod" },
  parameters: [{ name: "customer", type: "string", label: "Customer", description: "Who it is for" }],
  steps: [
    { id: "bump", handler: "release.version_bump", config: { version_file: "VERSION" } },
    {
      id: "say",
      handler: "flow.log",
      dependencies: ["bump"],
      config: { message: "${parameters.customer} ${step-outputs.bump.new_version}" },
    },
    { id: "aside", handler: "flow.log", config: { message: "x" } },
    { id: "stage", handler: "git.stage_all", dependencies: ["bump"], config: { paths: ["a", "b", "c"] } },
  ],
};

// A narrow window has the settings in a tab of their own: what stood at a place of theirs closes.
const wide = [desktop, tablet];
const small = [phone, narrow];

const panelOf = (page) => page.getByRole("complementary", { name: "Settings" });

async function openStep(open, id, step, options) {
  const page = await open(`/vwmp/designer/${id}${step ? `?step=${step}` : ""}`, options);
  const panel = panelOf(page);
  await panel.getByRole("heading", { level: 2 }).waitFor();
  return { page, panel };
}

async function save(page) {
  const saved = page.waitForResponse(
    (answer) =>
      /workflows\//.test(answer.url()) &&
      ["PUT", "POST"].includes(answer.request().method()) &&
      !/validate/.test(answer.url()),
  );
  await page.keyboard.press("Control+s");
  const answer = await saved;
  assert.ok(answer.ok(), `${answer.status()} ${await answer.text()}`);
}

const stepOf = (workflow, id) => workflow.steps.find((step) => step.id === id);

area("forms", { demo: true }, (test) => {
  test("point 41: name, id, description and order; a new id changes what names it, as one undo", async ({
    server,
    open,
  }) => {
    const id = await server.workflow(demo, "rename");
    const { page, panel } = await openStep(open, id, "bump");
    const field = panel.getByRole("textbox", { name: "Id", exact: true });
    await field.fill("say");
    await panel.getByText(/already has the id/).waitFor();
    // What is not taken yet stays while the window gets narrow and wide again.
    for (const [size, tabs] of [
      [phone, 1],
      [desktop, 0],
    ]) {
      await page.setViewportSize(size);
      await eventually(async () => (await page.getByRole("tab", { name: "Settings" }).count()) === tabs, "the frame");
      await panel.getByText(/already has the id/).waitFor();
      assert.equal(await field.inputValue(), "say");
      assert.ok(await field.evaluate((own) => own === document.activeElement), "it keeps the focus");
    }
    await field.fill("raise");
    await field.press("Enter");
    await panel.getByText("raise · release.version_bump").waitFor();
    await panel.getByRole("textbox", { name: "Name", exact: true }).fill("Raise it");
    await panel.getByRole("textbox", { name: "Description", exact: true }).fill("First of all");
    await save(page);
    let stored = await server.api(`workflows/${id}/`);
    assert.equal(stepOf(stored, "raise").name, "Raise it");
    assert.equal(stepOf(stored, "raise").description, "First of all");
    assert.deepEqual(stepOf(stored, "say").dependencies, ["raise"]);
    assert.equal(stepOf(stored, "say").config.message, "${parameters.customer} ${step-outputs.raise.new_version}");
    const undo = page.getByRole("button", { name: /^Undo/ }).first();
    for (let i = 0; i < 3; i++) await undo.click();
    await panel
      .getByText("Demo")
      .or(page.getByText("bump", { exact: true }))
      .first()
      .waitFor();
    await save(page);
    stored = await server.api(`workflows/${id}/`);
    assert.deepEqual(stored.steps, (await server.api(`workflows/${id}/versions/1/`)).definition?.steps ?? demo.steps);
  });

  test("point 41: dependencies and the advanced settings are saved as the language has them", async ({
    server,
    open,
  }) => {
    const id = await server.workflow(demo, "advanced");
    const { page, panel } = await openStep(open, id, "say");
    await panel.getByRole("combobox", { name: "Add a step to wait for" }).selectOption("aside");
    await panel
      .getByRole("combobox", { name: "Run", exact: true })
      .selectOption({ label: "Always, whatever came of them" });
    await panel.getByRole("textbox", { name: "Only if" }).fill('parameters.customer != ""');
    await panel.locator("summary", { hasText: "Advanced" }).click();
    await panel.getByRole("checkbox", { name: "Continue on failure" }).check();
    await panel.getByRole("textbox", { name: "Timeout" }).fill("90s");
    await panel.getByRole("textbox", { name: "Attempts" }).fill("3");
    await panel.getByRole("combobox", { name: /After a crash/ }).selectOption({ label: "Run it again" });
    await panel.getByRole("combobox", { name: "Run for each item" }).selectOption("list");
    await panel.getByRole("textbox", { name: "List" }).fill('["a", "b"]');
    await save(page);
    const { config: _, ui: __, ...step } = stepOf(await server.api(`workflows/${id}/`), "say");
    assert.deepEqual(step, {
      id: "say",
      handler: "flow.log",
      dependencies: ["bump", "aside"],
      run_on: "always",
      when: 'parameters.customer != ""',
      required: false,
      timeout: 90,
      retry: { max_attempts: 3, initial_interval: 1, multiplier: 2, max_interval: 60, jitter: 0.2 },
      on_interrupt: "retry",
      for_each: ["a", "b"],
    });
  });

  test("point 41: the workflow's own settings, with parameters of every type and all four triggers", async ({
    server,
    open,
  }) => {
    const id = await server.workflow({ ...demo, parameters: [], steps: [demo.steps[0]] }, "own");
    const { page, panel } = await openStep(open, id);
    await panel.getByRole("textbox", { name: "Description", exact: true }).first().fill("About it");
    const types = [
      "string",
      "textarea",
      "integer",
      "number",
      "boolean",
      "enum",
      "multi_enum",
      "file",
      "secret",
      "json",
    ];
    for (const type of types) {
      await panel.getByRole("button", { name: "Add parameter" }).click();
      const card = panel.locator("details", { has: page.locator("summary[data-pointer^='/parameters']") }).last();
      await page.keyboard.type(`p_${type}`);
      await page.keyboard.press("Enter");
      await card.getByRole("combobox", { name: "Type" }).selectOption(type);
    }
    await panel.locator("summary", { hasText: "Triggers" }).click();
    for (const name of ["Schedule", "Webhook", "Another workflow", "Files"]) {
      await panel.getByRole("button", { name: "Add trigger" }).click();
      if (name === "Schedule") {
        const open = page.getByRole("menu");
        await assertAccessibleEverywhere(page, "the menu of triggers", { open, sizes: wide });
      }
      await page.getByRole("menuitem", { name: new RegExp(`^${name}`) }).click();
    }
    await panel.locator("[data-pointer='/triggers/2/workflow']").fill("own");
    await save(page);
    const stored = await server.api(`workflows/${id}/`);
    assert.equal(stored.description, "About it");
    assert.deepEqual(
      stored.parameters.map(({ name, type }) => [name, type]),
      types.map((type) => [`p_${type}`, type]),
    );
    assert.deepEqual(
      stored.triggers.map(({ type }) => type),
      ["schedule", "webhook", "workflow", "file"],
    );
    assert.equal(stored.valid, true, JSON.stringify(stored.problems));
    await assertAccessible(page, "the workflow's settings");
  });

  test("point 42: every handler has a form with a label for each of its fields", async ({ server, open }) => {
    const { handlers } = await server.api("step-handlers/");
    const idOf = ({ path }) => path.replaceAll(/[._]/g, "-");
    const { id } = await server.api("workflows/?draft=true", {
      method: "POST",
      body: { name: "All", steps: handlers.map((handler) => ({ id: idOf(handler), handler: handler.path })) },
    });
    assert.ok(handlers.length >= 20);
    const { page, panel } = await openStep(open, id);
    await page.getByRole("application").focus();
    await page.keyboard.press("l");
    for (const handler of handlers) {
      await page.locator(`[data-list-step="${idOf(handler)}"]`).click();
      await panel.getByText(`${idOf(handler)} · ${handler.path}`).waitFor();
      const general = await panel.locator("svg.lucide-box").count();
      assert.equal(general, handler.icon === "box" ? 1 : 0, `${handler.path} shows its icon, ${handler.icon}`);
      for (const [key, property] of Object.entries(handler.config_schema.properties ?? {})) {
        assert.ok(property.title && property.description, `${handler.path}: ${key} has a title and help`);
        // A mark of what is required follows the title.
        const title = new RegExp(`^${property.title.replace(/[^\w ]/g, "\\$&")}\\*?$`);
        await panel.getByText(title).first().waitFor();
      }
      const wide = await panel.evaluate((aside) =>
        [...aside.querySelectorAll("*")].some(
          (each) => each.getBoundingClientRect().right > aside.getBoundingClientRect().right + 1,
        ),
      );
      assert.equal(wide, false, `${handler.path}: something is wider than the panel`);
    }
  });

  test("point 43: a list by keyboard; the focus goes where one goes on", async ({ server, open }) => {
    const id = await server.workflow(demo, "list");
    const { page, panel } = await openStep(open, id, "stage");
    const item = (n) => panel.locator(`[data-pointer$='/config/paths/${n}']`);
    await item(2).focus();
    await page.keyboard.press("Alt+ArrowUp");
    await page.waitForFunction(() => document.activeElement?.getAttribute("data-pointer")?.endsWith("/paths/1"));
    assert.deepEqual(await Promise.all([0, 1, 2].map((n) => item(n).inputValue())), ["a", "c", "b"]);
    await panel.getByRole("button", { name: "Remove item 2" }).press("Enter");
    await page.waitForFunction(() => document.activeElement?.getAttribute("data-pointer")?.endsWith("/paths/1"));
    await panel.getByRole("button", { name: "Add item to Paths" }).press("Enter");
    await page.waitForFunction(() => document.activeElement?.getAttribute("data-pointer")?.endsWith("/paths/2"));
    await page.keyboard.type("d");
    await save(page);
    assert.deepEqual(stepOf(await server.api(`workflows/${id}/`), "stage").config.paths, ["a", "b", "d"]);
  });

  test("points 44 and 45: variables by keyboard and from the list, of steps before only", async ({ server, open }) => {
    await server.api("secrets/DEPLOY_KEY/", { method: "PUT", body: { value: "hush" } });
    const id = await server.workflow(demo, "variables");
    const { page, panel } = await openStep(open, id, "say");
    const message = panel.getByRole("combobox", { name: "Message", exact: true });
    await message.fill("Hello ");
    await message.pressSequentially("${step");
    const options = panel.getByRole("listbox").getByRole("option");
    await options.first().waitFor();
    const names = (await options.allTextContents()).join("\n");
    assert.match(names, /step-outputs\.bump\.new_version/);
    assert.doesNotMatch(names, /step-outputs\.(aside|stage|say)/);
    await assertAccessibleEverywhere(page, "suggestions", { open: options.first(), sizes: wide });
    await page.keyboard.press("Escape");
    assert.equal(await options.count(), 0);
    await page.keyboard.type("-outputs.bump.new");
    await page.keyboard.press("Tab");
    assert.equal(await message.inputValue(), "Hello ${step-outputs.bump.new_version}");
    await panel.getByText("variable", { exact: true }).waitFor();
    await page.keyboard.press("Control+z");
    assert.match(
      await message.inputValue(),
      /^Hello \$\{step-outputs\.bump\.new$/,
      "Undo takes back what was put in, in the field",
    );
    await message.fill("");
    await panel.getByRole("button", { name: "Insert a variable: Message" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("secrets.DEPLOY_KEY").waitFor();
    await assertAccessibleEverywhere(page, "the list of variables", { open: dialog });
    await page.keyboard.type("customer");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.value === "${parameters.customer}");
    // A field of another type takes one too, and is not judged by its type.
    await panel.getByRole("button", { name: "Insert a variable: Level" }).click();
    await dialog.waitFor();
    await page.keyboard.type("target");
    await page.keyboard.press("Enter");
    const level = panel.getByRole("combobox", { name: "Level", exact: true });
    await page.waitForFunction(() =>
      [...document.querySelectorAll("input")].some((box) => box.value === "${config.target}"),
    );
    assert.equal(await level.getAttribute("aria-invalid"), null);
  });

  test("points 46 and 47: problems on card, toolbar and field; entries lead to the field, repairs take one click", async ({
    server,
    open,
  }) => {
    const { id } = await server.api("workflows/?draft=true", {
      method: "POST",
      body: {
        ...demo,
        steps: [
          demo.steps[0],
          demo.steps[2],
          {
            id: "say",
            handler: "flow.log",
            dependencies: ["bump"],
            when: "steps.aside.status == 'success'",
            config: {
              message: "${step-outputs.bmp.new_version} ${step-outputs.aside} ${parameters.custmer}",
              levl: "info",
            },
          },
        ],
      },
    });
    const { page, panel } = await openStep(open, id);
    const button = page.getByRole("button", { name: "5 problems", exact: true });
    await button.waitFor();
    await page.locator("[data-step='say']").getByText("5 problems").waitFor();
    await button.click();
    const list = page.getByRole("dialog");
    await assertAccessibleEverywhere(page, "the list of problems", { open: list, sizes: wide });
    await list.getByRole("button", { name: /levl/ }).first().click();
    await panel.getByText("say · flow.log").waitFor();
    await page.waitForFunction(() =>
      document.activeElement?.closest("[data-pointer]")?.getAttribute("data-pointer")?.endsWith("/config/levl"),
    );
    await button.click();
    for (const label of ["Change to “level”", "Change to “bump”", "Wait for “aside”", "Change to “customer”"]) {
      await list.getByRole("button", { name: label }).first().click();
    }
    await page.getByRole("button", { name: "No problems", exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await save(page);
    const say = stepOf(await server.api(`workflows/${id}/`), "say");
    assert.deepEqual(say.config, {
      message: "${step-outputs.bump.new_version} ${step-outputs.aside} ${parameters.customer}",
      level: "info",
    });
    assert.deepEqual(say.dependencies, ["bump", "aside"]);
  });

  test("point 47: what is wrong shows within 300 ms of a pause, and the server adds what only it knows", async ({
    server,
    open,
  }) => {
    const id = await server.workflow(demo, "soon");
    const { page, panel } = await openStep(open, id, "bump");
    await page.getByRole("button", { name: "No problems", exact: true }).waitFor();
    const file = panel.getByRole("combobox", { name: "Version file", exact: true });
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 8; round++) {
      await file.fill("VERSION");
      await page.getByRole("button", { name: "No problems", exact: true }).waitFor();
      await page.evaluate(() => {
        const box = document.querySelector("[data-pointer$='/config/version_file']");
        window.took = new Promise((resolve) => {
          box.addEventListener(
            "input",
            () => {
              const from = performance.now();
              const seen = new MutationObserver(() => {
                if (!document.querySelector("[data-pointer$='/config/version_file'][aria-invalid='true']")) return;
                seen.disconnect();
                resolve(performance.now() - from);
              });
              seen.observe(document.body, { subtree: true, attributes: true, childList: true });
            },
            { once: true },
          );
        });
      });
      await file.fill("");
      best = Math.min(best, await page.evaluate(() => window.took));
    }
    assertInTime(best, 300, "point 47: from a key to the field's problem");
    await file.fill("VERSION");
    const condition = panel.getByRole("textbox", { name: "Only if" });
    await condition.fill("nonsense ==");
    await page.getByRole("button", { name: "1 problem", exact: true }).waitFor();
    await eventually(
      async () => (await condition.getAttribute("aria-invalid")) === "true",
      "the mark on the condition",
    );
  });

  test("point 48: a draft with problems is saved, and not executed", async ({ server, open }) => {
    const id = await server.workflow({ ...demo, parameters: [], steps: [demo.steps[0]] }, "draft");
    const { page, panel } = await openStep(open, id, "bump", { allow: [/400|409/] });
    await panel.getByRole("combobox", { name: "Version file", exact: true }).fill("");
    await page.getByRole("button", { name: "1 problem", exact: true }).waitFor();
    await save(page);
    assert.equal((await server.api(`workflows/${id}/`)).valid, false);
    await page.getByRole("button", { name: "Execute", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/version_file/).waitFor();
    assert.equal((await server.api(`executions/?workflow_id=${id}`)).executions.length, 0);
  });

  test("what opens above the settings on a phone has no fault", async ({ server, open }) => {
    const id = await server.workflow(demo, "above");
    const page = await open(`/vwmp/designer/${id}?step=say`, { size: phone });
    await page.getByRole("tab", { name: "Settings" }).click();
    const panel = panelOf(page);
    const message = panel.getByRole("combobox", { name: "Message", exact: true });
    await message.fill("");
    await message.pressSequentially("${step");
    const suggested = panel.getByRole("listbox").getByRole("option").first();
    await assertAccessibleEverywhere(page, "suggestions", { open: suggested, sizes: small });
    await page.keyboard.press("Escape");
    await panel.getByRole("button", { name: "Insert a variable: Message" }).click();
    const browser = page.getByRole("dialog");
    await assertAccessibleEverywhere(page, "the list of variables", { open: browser });
    await page.keyboard.press("Escape");
    await browser.waitFor({ state: "detached" });
    await message.fill("${step-outputs.bmp}");
    await page.getByRole("tab", { name: "Canvas" }).click();
    await page.getByRole("button", { name: "1 problem", exact: true }).click();
    await assertAccessibleEverywhere(page, "the list of problems", { open: page.getByRole("dialog"), sizes: small });
    await page.keyboard.press("Escape");

    await page.goto(`${server.url}/vwmp/designer/${id}`);
    await page.getByRole("tab", { name: "Settings" }).click();
    await panel.locator("summary", { hasText: "Triggers" }).click();
    await panel.getByRole("button", { name: "Add trigger" }).click();
    await assertAccessibleEverywhere(page, "the menu of triggers", { open: page.getByRole("menu"), sizes: small });
  });

  for (const [name, size] of [
    ["390", phone],
    ["320", narrow],
  ]) {
    for (const dark of [false, true]) {
      test(`the settings at ${name} px, ${dark ? "dark" : "light"}, fit and have no fault`, async ({
        server,
        open,
      }) => {
        const id = await server.workflow(demo, "small");
        const page = await open(`/vwmp/designer/${id}?step=stage`, { size, dark });
        await page.getByRole("tab", { name: "Settings" }).click();
        const panel = panelOf(page);
        await panel.getByText("stage · git.stage_all").waitFor();
        await panel.locator("summary", { hasText: "Advanced" }).click();
        await assertAccessible(page, `the settings at ${name}`);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(over <= 0, `${over} px too wide`);
      });
    }
  }
});
