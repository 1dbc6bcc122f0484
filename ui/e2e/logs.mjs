import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { preferTheme } from "./lib/browser.mjs";
import { eventually } from "./lib/designer.mjs";
import { gate } from "./lib/gate.mjs";
import { area, assertInTime } from "./lib/suite.mjs";

const script = (id, file, more = {}) => ({
  id,
  handler: "vwmp.run_validators",
  config: { validators: [file], strict_mode: false },
  ...more,
});
const at = (id) => `/vwmp/executions/${id}?view=steps`;
const list = (page) => page.getByRole("listbox", { name: "Log lines" });

area("logs", {}, (test) => {
  test("points 23 and 24: lines are filtered, searched, wrapped, copied and saved, in their colours", async ({
    server,
    open,
  }) => {
    await writeFile(
      join(server.workspace, "colours.sh"),
      `printf '\\033[31mred alert\\033[0m and plain\\n'\nprintf 'wide %0300d\\n' 0\nprintf 'bell\\007 and \\033[2K erase\\n'\nfor i in $(seq 1 60); do echo "line $i of many"; done\nexit 3\n`,
    );
    await server.workflow(
      {
        name: "Colours",
        steps: [
          { id: "hello", handler: "flow.log", config: { message: "<b>hello</b>" } },
          script("colours", "colours.sh", { dependencies: ["hello"] }),
        ],
      },
      "colours",
    );
    const { execution_id: id } = await server.run("colours");
    const page = await open(at(id));
    await list(page).getByText("line 60 of many").waitFor();
    await list(page).focus();
    await page.keyboard.press("Home");
    await list(page).getByText("<b>hello</b>").waitFor();
    for (const theme of ["dark", "light"]) {
      await preferTheme(page, theme);
      const [drawn, token] = await list(page)
        .getByText("red alert", { exact: true })
        .evaluate((element) => {
          const probe = document.createElement("span");
          probe.style.color = "var(--failed-text)";
          document.body.append(probe);
          const colours = [element, probe].map((each) => getComputedStyle(each).color);
          probe.remove();
          return colours;
        });
      assert.equal(drawn, token, `red in the ${theme} theme`);
      assert.notEqual(
        drawn,
        await list(page)
          .getByText("and plain")
          .evaluate((element) => getComputedStyle(element).color),
      );
    }
    assert.match(await list(page).innerText(), /bell␇ and ␛\[2K erase/);

    await page.getByLabel("Level").selectOption("error");
    await list(page).getByText("failed with exit code 3").waitFor();
    assert.equal(await list(page).getByRole("option").count(), 1);
    await page.getByLabel("Level").selectOption("debug");
    await page.getByLabel("Step", { exact: true }).selectOption("hello");
    assert.equal(await list(page).getByRole("option").count(), 1);
    await page.getByLabel("Step", { exact: true }).selectOption("");

    const search = page.getByRole("searchbox", { name: "Search the log" });
    await search.fill("OF MANY");
    await page.getByText("60", { exact: true }).waitFor();
    const current = () => list(page).getByRole("option", { selected: true }).innerText();
    await search.press("Enter");
    await page.getByText("1 of 60").waitFor();
    assert.match(await current(), /line 1 of many/);
    await search.press("Shift+Enter");
    await page.getByText("60 of 60").waitFor();
    assert.match(await current(), /line 60 of many/);
    await page.getByRole("button", { name: "Previous match" }).click();
    await page.getByText("59 of 60").waitFor();

    await page.getByRole("button", { name: "Copy line" }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "line 59 of many");

    const wrap = page.getByRole("button", { name: "Wrap long lines" });
    const wide = list(page).getByRole("option").filter({ hasText: "wide 0" });
    await list(page).press("Home");
    const before = (await wide.boundingBox()).height;
    assert.equal(await wrap.getAttribute("aria-pressed"), "false");
    await wrap.click();
    assert.equal(await wrap.getAttribute("aria-pressed"), "true");
    assert.equal(await wide.evaluate((row) => getComputedStyle(row).whiteSpace), "pre-wrap");
    await eventually(async () => (await wide.boundingBox()).height >= 2 * before, "a line over several rows");
    assert.ok(await list(page).evaluate((element) => element.scrollWidth <= element.clientWidth));

    // What is filtered is only hidden: the file has all lines of all steps.
    await search.fill("");
    await page.getByLabel("Step", { exact: true }).selectOption("hello");
    await list(page).getByText("line 60 of many").waitFor({ state: "detached" });
    assert.equal(await list(page).getByRole("option").count(), 1);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download all" }).click(),
    ]);
    const saved = await readFile(await download.path(), "utf8");
    assert.equal(saved.split("\n").filter((line) => line.includes("of many")).length, 60);
    assert.match(saved, /<b>hello<\/b>/);
    const { logs } = await server.api(`executions/${id}/logs/?limit=10000`);
    assert.equal(saved.trimEnd().split("\n").length, logs.length);
    assert.ok(!saved.includes("\u001b"), "the file could drive a terminal");
  });

  test("point 23: the newest line is followed until one scrolls up, and again after a jump", async ({
    server,
    open,
  }) => {
    const { step, open: release } = await gate(server, "second");
    await writeFile(join(server.workspace, "first.sh"), "for i in $(seq 1 80); do echo first $i; done\n");
    await writeFile(join(server.workspace, "third.sh"), "for i in $(seq 1 40); do echo third $i; done\n");
    await server.workflow(
      {
        name: "Follow",
        steps: [
          script("first", "first.sh"),
          { ...step, dependencies: ["first"] },
          script("third", "third.sh", { dependencies: ["gate"] }),
        ],
      },
      "follow",
    );
    const page = await open(at(await server.launch("follow")));
    await list(page).getByText("first 80", { exact: false }).waitFor();
    const distance = () => list(page).evaluate((e) => e.scrollHeight - e.clientHeight - e.scrollTop);
    await page.waitForFunction(() => {
      const e = document.querySelector('[role="listbox"]');
      return e.scrollHeight - e.clientHeight - e.scrollTop < 25;
    });
    await list(page).hover();
    await page.mouse.wheel(0, -600);
    await page.getByRole("button", { name: "Jump to newest" }).waitFor();
    const place = await list(page).evaluate((e) => e.scrollTop);
    await release();
    const jump = page.getByRole("button", { name: /Jump to newest \(\d+ new\)/ });
    await jump.waitFor();
    assert.equal(await list(page).evaluate((e) => e.scrollTop), place);
    await jump.click();
    await list(page).getByText("third 40").waitFor();
    assert.ok((await distance()) < 25);
    assert.equal(await jump.count(), 0);
  });

  test("a log that could not be saved says why, until it could", async ({ server, open }) => {
    await server.workflow(
      { name: "Saved", steps: [{ id: "a", handler: "flow.log", config: { message: "x" } }] },
      "saved",
    );
    const { execution_id: id } = await server.run("saved");
    const page = await open(at(id), { allow: [/507/] });
    await list(page).getByText("x", { exact: true }).waitFor();
    const problem = { type: "about:blank", title: "Insufficient storage", status: 507, detail: "The disk is full." };
    const refuse = (route) =>
      route.fulfill({
        status: 507,
        contentType: "application/problem+json",
        body: JSON.stringify({ ...problem, request_id: "r-7" }),
      });
    await page.route("**/logs/?limit=10000", refuse);
    await page.getByRole("button", { name: "Download all" }).click();
    const notice = page.getByRole("group", { name: /^The log could not be downloaded/ });
    await notice.getByText("The log could not be downloaded: the disk is full.").waitFor();
    await notice.getByRole("button", { name: "Copy request id" }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "r-7");
    await page.unroute("**/logs/?limit=10000", refuse);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      notice.getByRole("button", { name: "Try again" }).click(),
    ]);
    assert.equal(download.suggestedFilename(), `${id}.log`);
    await notice.waitFor({ state: "detached" });
  });

  test("point 24: 100,000 lines stay usable", async ({ server, open }) => {
    const many = "seq -f 'block %.0f is a line of a long log' 0 99999\n";
    await writeFile(join(server.workspace, "many.sh"), many);
    await server.workflow({ name: "Many", steps: [script("many", "many.sh")] }, "many");
    const result = await server.run("many");
    const lines = result.step_results.many.log_count;
    const page = await open(at(result.execution_id));
    await page.getByText(`${new Intl.NumberFormat("en-GB").format(lines)} lines`).waitFor({ timeout: 60_000 });
    assert.ok(lines >= 100_000, `the run wrote ${lines} lines`);
    assert.ok((await list(page).getByRole("option").count()) < 80, "only what is seen is drawn");
    await list(page).focus();
    for (const key of ["Home", "End", "Home"]) {
      const began = Date.now();
      await page.keyboard.press(key);
      await list(page)
        .getByRole("option", { selected: true })
        .and(page.locator(key === "Home" ? '[aria-posinset="1"]' : `[aria-posinset="${lines}"]`))
        .waitFor();
      assertInTime(Date.now() - began, 300, `${key} in a log of ${lines} lines`);
    }
    await page.getByRole("searchbox", { name: "Search the log" }).fill("block 99999 ");
    await page.getByRole("button", { name: "Next match" }).click();
    await list(page).getByRole("option", { selected: true }).getByText("99999").waitFor();
  });
});
