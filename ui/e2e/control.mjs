import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assertAccessible, assertAccessibleEverywhere, desktop, phone } from "./lib/browser.mjs";
import { eventually } from "./lib/designer.mjs";
import { gate } from "./lib/gate.mjs";
import { area } from "./lib/suite.mjs";

const log = (id, more = {}) => ({ id, handler: "flow.log", config: { message: `says ${id}` }, ...more });
const at = (id, query = "?view=steps") => `/vwmp/executions/${id}${query}`;
const result = (page, word) => page.locator("dl > div").filter({ hasText: "Result" }).getByText(word, { exact: true });
const idOf = (page) => new URL(page.url()).pathname.split("/").at(-1);
const until = async (server, id, is) => {
  for (;;) {
    const now = await server.api(`executions/${id}/`);
    if (is(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const choose = async (page, name) => {
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name }).click();
};

area("control", {}, (test) => {
  const chain = {
    name: "Chain",
    parameters: [{ name: "word", type: "string", default: "one", label: "Word" }],
    steps: [
      log("a", { config: { message: "${parameters.word}" } }),
      { id: "b", handler: "flow.fail", config: { message: "not yet" }, dependencies: ["a"] },
      log("c", { dependencies: ["b"] }),
    ],
  };

  test("point 28: cancel asks once", async ({ server, open }) => {
    const { step, open: release } = await gate(server);
    await server.workflow({ name: "Gated", steps: [step, log("z", { dependencies: ["gate"] })] }, "gated");
    const page = await open(at(await server.launch("gated")));
    await page.getByRole("button", { name: "Cancel" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Cancel this run of “Gated”?" });
    await dialog.getByText("1 step will be cut short").waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent === "Keep it running");
    await assertAccessibleEverywhere(page, "the question before a cancel", { open: dialog });
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Cancel" }).click();
    await dialog.getByRole("button", { name: "Cancel the run" }).click();
    await result(page, "Cancelled").waitFor();
    await release();
  });

  test("a run is paused and resumed", async ({ server, open }) => {
    const { step, open: release, close } = await gate(server);
    await close();
    await server.workflow({ name: "Gated", steps: [step, log("z", { dependencies: ["gate"] })] }, "gated");
    const page = await open(at(await server.launch("gated")));
    await page.getByRole("button", { name: "Pause" }).click();
    await result(page, "Paused").waitFor();
    await page.getByText("Paused by admin.").waitFor();
    await release();
    await page.getByRole("button", { name: "Resume" }).click();
    await result(page, "Success").waitFor();
  });

  test("point 6: what could not be done is told where it was tried, until it is closed or done", async ({
    server,
    open,
  }) => {
    const { step, open: release, close } = await gate(server);
    await close();
    await server.workflow({ name: "Gated", steps: [step] }, "gated");
    const page = await open(at(await server.launch("gated")), { allow: [/500/] });
    const problem = { type: "about:blank", title: "Internal error", status: 500, detail: "The ledger is torn." };
    const refuse = (route) =>
      route.fulfill({
        status: 500,
        contentType: "application/problem+json",
        body: JSON.stringify({ ...problem, request_id: "r-42" }),
      });
    await page.route("**/pause/", refuse);
    const notice = page.getByRole("main").getByRole("group", { name: /^It could not be paused/ });
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await notice.getByText("It could not be paused: the ledger is torn.").waitFor();
    await notice.getByRole("button", { name: "Copy request id" }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "r-42");
    await assertAccessibleEverywhere(page, "a refused pause", { open: notice });
    assert.equal(await page.getByText("the ledger is torn").count(), 1, "it is told once, and by no toast");
    await notice.getByRole("button", { name: "Close this notice" }).click();
    await notice.waitFor({ state: "detached" });

    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await notice.waitFor();
    await page.unroute("**/pause/", refuse);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await result(page, "Paused").waitFor();
    assert.equal(await notice.count(), 0);
    await release();
  });

  test("the menu of a run fits and has no fault", async ({ server, open }) => {
    await server.workflow({ ...chain, steps: [chain.steps[0]] }, "menu");
    const page = await open(at((await server.run("menu")).execution_id));
    await page.getByRole("button", { name: "More actions" }).click();
    const menu = page.getByRole("menu");
    await menu.getByRole("menuitem", { name: "Explain this run" }).waitFor();
    await assertAccessibleEverywhere(page, "the menu of a run", { open: menu });
  });

  test("a retry from a step with other parameters", async ({ server, open }) => {
    await server.workflow(chain, "chain");
    const first = (await server.run("chain")).execution_id;
    const page = await open(at(first));
    // A narrow window would show the step that failed in a sheet of its own.
    await page.getByRole("button", { name: "Close the step" }).click();
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Retry “Chain”" });
    await dialog.getByLabel("One step and all that comes after it").check();
    await dialog.getByLabel("From the step").selectOption("a");
    await dialog.getByText("Change the 1 parameter").click();
    await dialog.getByLabel("Word").fill("two");
    await assertAccessibleEverywhere(page, "the retry dialog", { open: dialog });
    await dialog.getByRole("button", { name: "Start the retry" }).click();
    await page.waitForURL((url) => !url.pathname.endsWith(first));
    const again = await until(server, idOf(page), ({ completed_at }) => completed_at);
    assert.equal(again.retry_of, first);
    assert.equal(again.parameters.word, "two");
    assert.equal(again.step_results.a.output.message, "two");
    await page.getByText("Retry of").waitFor();
  });

  test("a retry takes the newest version", async ({ server, open }) => {
    await server.workflow(chain, "chain");
    const first = (await server.run("chain")).execution_id;
    await server.workflow(
      { ...chain, steps: [chain.steps[0], log("b", { dependencies: ["a"] }), chain.steps[2]] },
      "chain",
    );
    const page = await open(at(first));
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    await page.getByLabel(/^The newest, version \d+$/).check();
    await page.getByRole("button", { name: "Start the retry" }).click();
    await page.waitForURL((url) => !url.pathname.endsWith(first));
    await result(page, "Success").waitFor();
    const again = await server.api(`executions/${idOf(page)}/`);
    assert.equal(again.step_results.a.kept_from, first);
  });

  test("a fork shows what it keeps, does again and should not, and takes another config and another output", async ({
    server,
    open,
  }) => {
    await writeFile(join(server.workspace, "fine.sh"), "echo fine\n");
    const steps = [
      log("a"),
      log("b", { config: { message: "${step-outputs.a.message}" }, dependencies: ["a"] }),
      { id: "check", handler: "vwmp.run_validators", config: { validators: ["fine.sh"] }, dependencies: ["b"] },
    ];
    await server.workflow({ name: "Forked", steps }, "forked");
    const first = (await server.run("forked")).execution_id;
    const page = await open(at(first));
    await choose(page, "Fork…");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("From the step").selectOption("b");
    await dialog.getByRole("heading", { name: "Kept (1)" }).waitFor();
    await dialog.getByRole("heading", { name: "Done again (2)" }).waitFor();
    await dialog.getByRole("heading", { name: "Not safe to do again (1)" }).waitFor();
    await dialog.getByText("Change the config of this step").click();
    await dialog.getByText("Change what earlier steps gave").click();
    await dialog.getByLabel("Edit the output of a step").selectOption("a");
    await dialog.getByLabel("Output of Log").fill('{"message": "edited"}');
    await assertAccessibleEverywhere(page, "the fork dialog", { open: dialog });
    const start = dialog.getByRole("button", { name: "Start the fork" });
    assert.equal(await start.getAttribute("aria-disabled"), "true");
    await dialog.getByRole("checkbox").check();
    await page.waitForFunction(() =>
      [...document.querySelectorAll("button")].some((b) => b.textContent === "Start the fork" && !b.ariaDisabled),
    );
    await start.click();
    await page.waitForURL((url) => !url.pathname.endsWith(first));
    const again = await until(server, idOf(page), ({ completed_at }) => completed_at);
    assert.equal(again.fork_of, first);
    assert.equal(again.step_results.b.output.message, "edited");
  });

  test("an undo says what it takes back and what stays", async ({ server, open }) => {
    await writeFile(join(server.workspace, "VERSION"), "1.2.3\n");
    const bump = { id: "bump", handler: "release.version_bump", config: { version_file: "VERSION" } };
    await server.workflow({ name: "Bumped", steps: [bump, log("a", { dependencies: ["bump"] })] }, "bumped");
    const first = (await server.run("bumped")).execution_id;
    const page = await open(at(first));
    await choose(page, "Undo this run…");
    const dialog = page.getByRole("alertdialog");
    await dialog.getByText("It can't be undone: flow.log has no way to.").waitFor();
    await assertAccessibleEverywhere(page, "the undo dialog", { open: dialog });
    await dialog.getByRole("button", { name: "Undo 1 step" }).click();
    await page.waitForURL((url) => !url.pathname.endsWith(first));
    await result(page, "Success").waitFor();
    await page.getByText("Takes back").waitFor();
    await page.goto(new URL(at(first), server.url).href);
    await page.getByRole("table", { name: "Steps" }).getByText("Undone").waitFor();
    await page.getByText("Taken back by").waitFor();
  });

  test("a run of which nothing can be undone says so", async ({ server, open }) => {
    await server.workflow({ ...chain, steps: [chain.steps[0]] }, "stays");
    const page = await open(at((await server.run("stays")).execution_id));
    await choose(page, "Undo this run…");
    const dialog = page.getByRole("dialog", { name: "Nothing of this run can be undone" });
    await dialog.getByText("It can't be undone: flow.log has no way to.").waitFor();
    await assertAccessibleEverywhere(page, "an undo of nothing", { open: dialog });
    await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
    await dialog.waitFor({ state: "detached" });
  });

  test("a signal is sent to the step that waits for it", async ({ server, open }) => {
    await server.workflow(
      { name: "Signal", steps: [{ id: "mail", handler: "flow.signal", config: { name: "post" } }] },
      "signal",
    );
    const page = await open(at(await server.launch("signal")));
    await page.getByRole("button", { name: "Send the signal" }).click();
    const form = page.getByRole("region", { name: "Signal" });
    await assertAccessibleEverywhere(page, "the form of a signal", { open: form });
    await form.getByLabel("Payload").fill("{oops");
    await form.getByRole("button", { name: "Send the signal" }).click();
    await form.getByText("This is no JSON", { exact: false }).waitFor();
    // Beside the views or over them: it is the same form, with what was typed and the focus.
    const payload = form.getByLabel("Payload");
    await payload.focus();
    for (const [size, sheets] of [
      [phone, 1],
      [desktop, 0],
    ]) {
      await page.setViewportSize(size);
      await eventually(async () => (await page.getByRole("dialog").count()) === sheets, `${sheets} sheets`);
      assert.equal(await payload.inputValue(), "{oops");
      await form.getByText("This is no JSON", { exact: false }).waitFor();
      await eventually(() => payload.evaluate((own) => own === document.activeElement), "the focus on the payload");
    }
    await form.getByLabel("Payload").fill('{"letter": 7}');
    await assertAccessible(page, "the form of a signal, filled in");
    await form.getByRole("button", { name: "Send the signal" }).click();
    await result(page, "Success").waitFor();
    const now = await server.api(`executions/${idOf(page)}/`);
    assert.deepEqual(now.step_results.mail.output, { letter: 7 });
  });

  test("a step whose end nobody saw is decided", async ({ server, open }) => {
    const stay = join(server.workspace, "stay");
    await writeFile(stay, "");
    await writeFile(join(server.workspace, "slow.sh"), "echo at work\nwhile [ -e stay ]; do sleep 0.05; done\n");
    const check = { id: "check", handler: "vwmp.run_validators", config: { validators: ["slow.sh"] } };
    await server.workflow({ name: "Lost", steps: [check, log("a", { dependencies: ["check"] })] }, "lost");
    const id = await server.launch("lost");
    await until(server, id, ({ step_results }) => step_results.check.log_count > 0);
    await server.kill();
    await rm(stay);
    await server.start();
    const page = await open(at(id));
    await page.getByRole("button", { name: "Decide" }).first().click();
    const form = page.getByRole("region", { name: "Decision" });
    await assertAccessibleEverywhere(page, "the decision", { open: form });
    await form.getByRole("button", { name: "Decide" }).click();
    await form.getByText("Choose what became of it.").waitFor();
    await form.getByLabel(/It succeeded/).check();
    await form.getByRole("textbox", { name: "Output" }).fill('{"by": "hand"}');
    await assertAccessible(page, "the decision, filled in");
    await form.getByRole("button", { name: "Decide" }).click();
    await result(page, "Success").waitFor();
    assert.deepEqual((await server.api(`executions/${id}/`)).step_results.check.output, { by: "hand" });
  });

  test("a run that waits for a slot tells who holds it", async ({ server, open }) => {
    const { step, open: release, close } = await gate(server);
    await close();
    await server.workflow({ name: "One at a time", concurrency: { limit: 1 }, steps: [step] }, "single");
    const holder = await server.launch("single");
    const page = await open(at(await server.launch("single")));
    await result(page, "Queued").waitFor();
    await page.getByText("At most 1 at once", { exact: false }).waitFor();
    assert.equal(
      await page.getByRole("listitem").getByRole("link", { name: "One at a time" }).getAttribute("href"),
      `/vwmp/executions/${holder}`,
    );
    await choose(page, "Explain this run");
    const explanation = page.getByRole("dialog", { name: "Why the run is as it is" });
    await explanation.getByText("It waits for a slot", { exact: false }).first().waitFor();
    await assertAccessibleEverywhere(page, "the explanation", { open: explanation });
    await page.keyboard.press("Escape");
    await release();
    await result(page, "Success").waitFor();
  });

  test("two runs are compared side by side", async ({ server, open }) => {
    await server.workflow({ ...chain, steps: [chain.steps[0]] }, "compared");
    const first = (await server.run("compared")).execution_id;
    const second = (await server.run("compared", { word: "two" })).execution_id;
    const page = await open(at(first));
    await choose(page, "Compare with…");
    const dialog = page.getByRole("dialog", { name: "Compare with which run?" });
    await dialog.getByRole("link").first().waitFor();
    await assertAccessibleEverywhere(page, "the choice of another run", { open: dialog });
    await dialog.getByRole("link").first().click();
    await page.waitForURL(`**/executions/${first}/compare/${second}`);
    await page.getByRole("heading", { level: 1, name: "Compare executions" }).waitFor();
    await page.getByText("1 parameter differs").waitFor();
    await page.getByRole("button", { name: "Log" }).click();
    const row = page.getByRole("row").filter({ hasText: "/message" });
    assert.match(await row.innerText(), /one[\s\S]*two/);
    await page
      .getByRole("region", { name: "First execution" })
      .getByText(/· version 1$/)
      .waitFor();
    await assertAccessibleEverywhere(page, "a comparison", { open: row });
    await page.getByRole("button", { name: "Swap sides" }).click();
    await page.waitForURL(`**/executions/${second}/compare/${first}`);
  });

  test("point 25: secrets are dots in a comparison too", async ({ server, open }) => {
    const message = "${parameters.word} ${parameters.token}";
    const steps = [
      log("a", { config: { message } }),
      {
        id: "b",
        handler: "flow.fail",
        config: { message: `\u001b[31mrefused\u001b[0m ${message}` },
        dependencies: ["a"],
      },
    ];
    const parameters = [...chain.parameters, { name: "token", type: "secret" }];
    await server.workflow({ name: "Hidden", parameters, steps }, "hidden");
    const [first, second] = [
      (await server.run("hidden", { word: "one", token: "hush-hush-hush" })).execution_id,
      (await server.run("hidden", { word: "two", token: "hush-hush-hush" })).execution_id,
    ];
    const page = await open(`/vwmp/executions/${first}/compare/${second}`);
    await page.getByRole("button", { name: "Log", exact: true }).click();
    const row = page.getByRole("row").filter({ hasText: "/message" });
    await row.getByText("one ••••", { exact: true }).waitFor();
    await row.getByText("two ••••", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Fail", exact: true }).click();
    await page
      .getByRole("paragraph")
      .filter({ hasText: /^refused two ••••$/ })
      .waitFor();
    assert.doesNotMatch(await page.getByRole("main").innerText(), /\*\*\*|hush|\[31m/);
  });

  test("an ended run is deleted after a question", async ({ server, open }) => {
    await server.workflow({ ...chain, steps: [chain.steps[0]] }, "deleted");
    const { execution_id: id } = await server.run("deleted");
    const page = await open(at(id), { allow: [/404/] });
    await choose(page, "Delete…");
    const dialog = page.getByRole("alertdialog", { name: "Delete this execution of “Chain”?" });
    await page.waitForFunction(() => document.activeElement?.textContent === "Cancel");
    await assertAccessibleEverywhere(page, "the question before a deletion", { open: dialog });
    await dialog.getByRole("button", { name: "Delete execution" }).click();
    await page.waitForURL("**/vwmp/executions");
    await assert.rejects(server.api(`executions/${id}/`), /404/);
  });
});
