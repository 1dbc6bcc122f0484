import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assertAccessible, narrow } from "./lib/browser.mjs";
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
    const dialog = page.getByRole("alertdialog");
    await dialog.getByText("1 step will be cut short").waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent === "Keep it running");
    await assertAccessible(page, "the question before a cancel");
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

  test("a retry from a step with other parameters", async ({ server, open }) => {
    await server.workflow(chain, "chain");
    const first = (await server.run("chain")).execution_id;
    const page = await open(at(first));
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("One step and all that comes after it").check();
    await dialog.getByLabel("From the step").selectOption("a");
    await dialog.getByText("Change the 1 parameter").click();
    await dialog.getByLabel("Word").fill("two");
    await assertAccessible(page, "the retry dialog");
    await dialog.getByRole("button", { name: "Start the retry" }).click();
    await page.waitForURL((url) => !url.pathname.endsWith(first));
    const again = await until(server, idOf(page), ({ completed_at }) => completed_at);
    assert.equal(again.retry_of, first);
    assert.equal(again.parameters.word, "two");
    assert.equal(again.step_results.a.output.message, "two");
    await page.getByText("Retry of").waitFor();
  });

  test("a retry takes the newest revision", async ({ server, open }) => {
    await server.workflow(chain, "chain");
    const first = (await server.run("chain")).execution_id;
    await server.workflow(
      { ...chain, steps: [chain.steps[0], log("b", { dependencies: ["a"] }), chain.steps[2]] },
      "chain",
    );
    const page = await open(at(first));
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    await page.getByLabel(/^The newest, revision/).check();
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
    await assertAccessible(page, "the fork dialog");
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
    await assertAccessible(page, "the undo dialog");
    await dialog.getByRole("button", { name: "Undo 1 step" }).click();
    await page.waitForURL((url) => !url.pathname.endsWith(first));
    await result(page, "Success").waitFor();
    await page.getByText("Takes back").waitFor();
    await page.goto(new URL(at(first), server.url).href);
    await page.getByRole("table", { name: "Steps" }).getByText("Undone").waitFor();
    await page.getByText("Taken back by").waitFor();
  });

  test("a signal is sent to the step that waits for it", async ({ server, open }) => {
    await server.workflow(
      { name: "Signal", steps: [{ id: "mail", handler: "flow.signal", config: { name: "post" } }] },
      "signal",
    );
    const page = await open(at(await server.launch("signal")));
    await page.getByRole("button", { name: "Send the signal" }).click();
    const form = page.getByRole("region", { name: "Signal" });
    await form.getByLabel("Payload").fill("{oops");
    await form.getByRole("button", { name: "Send the signal" }).click();
    await form.getByText("This is no JSON", { exact: false }).waitFor();
    await form.getByLabel("Payload").fill('{"letter": 7}');
    await assertAccessible(page, "the form of a signal");
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
    await form.getByRole("button", { name: "Decide" }).click();
    await form.getByText("Choose what became of it.").waitFor();
    await form.getByLabel(/It succeeded/).check();
    await form.getByRole("textbox", { name: "Output" }).fill('{"by": "hand"}');
    await assertAccessible(page, "the decision");
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
    await page.getByRole("dialog").getByText("It waits for a slot", { exact: false }).first().waitFor();
    await assertAccessible(page, "the explanation");
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
    await assertAccessible(page, "the choice of another run");
    await page.getByRole("dialog").getByRole("link").first().click();
    await page.waitForURL(`**/executions/${first}/compare/${second}`);
    await page.getByRole("heading", { level: 1, name: "Compare executions" }).waitFor();
    await page.getByText("1 parameter differs").waitFor();
    await page.getByRole("button", { name: "Log" }).click();
    const row = page.getByRole("row").filter({ hasText: "/message" });
    assert.match(await row.innerText(), /one[\s\S]*two/);
    for (const size of [page.viewportSize(), narrow]) {
      await page.setViewportSize(size);
      await assertAccessible(page, `a comparison at ${size.width}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    }
    await page.getByRole("button", { name: "Swap sides" }).click();
    await page.waitForURL(`**/executions/${second}/compare/${first}`);
  });

  test("an ended run is deleted after a question", async ({ server, open }) => {
    await server.workflow({ ...chain, steps: [chain.steps[0]] }, "deleted");
    const { execution_id: id } = await server.run("deleted");
    const page = await open(at(id), { allow: [/404/] });
    await choose(page, "Delete…");
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete execution" }).click();
    await page.waitForURL("**/vwmp/executions");
    await assert.rejects(server.api(`executions/${id}/`), /404/);
  });
});
