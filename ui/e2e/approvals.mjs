import assert from "node:assert/strict";
import { assertAccessible, desktop, narrow } from "./lib/browser.mjs";
import { area } from "./lib/suite.mjs";

const approval = (config) => ({
  name: "Asking",
  steps: [
    { id: "ask", name: "Ask", handler: "flow.approval", config },
    { id: "after", handler: "flow.log", dependencies: ["ask"], config: { message: "gone on" } },
  ],
});
const form = {
  type: "object",
  required: ["where"],
  properties: { where: { type: "string", title: "Where to", minLength: 3 }, loud: { type: "boolean", default: true } },
};
const card = (page, message) => page.getByRole("article", { name: message });

async function ended(server, id) {
  const answer = await server.api(`executions/${id}/`);
  return answer.completed_at ? answer : new Promise((resolve) => setTimeout(resolve, 50)).then(() => ended(server, id));
}

area("approvals", {}, (test) => {
  test("without an approval the page says so", async ({ open }) => {
    const page = await open("/vwmp/approvals");
    await page.getByText("Nothing waits for you").waitFor();
    await assertAccessible(page, "no approvals");
  });

  test("an approval shows its message, asks for its form, and goes on with the answer", async ({ server, open }) => {
    await server.workflow(approval({ message: "Release now?", form, timeout: "2h" }), "asking");
    const page = await open("/vwmp/");
    await page.getByRole("button", { name: "Approvals: none waiting" }).waitFor();
    const id = await server.launch("asking");
    await page.getByRole("button", { name: "1 approval waiting for you" }).click();
    await card(page, "Release now?").waitFor();
    assert.match(await card(page, "Release now?").innerText(), /Asking, step “Ask”[\s\S]*ends in/);
    for (const size of [desktop, narrow]) {
      await page.setViewportSize(size);
      await assertAccessible(page, `an approval at ${size.width}`);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    }
    await page.getByRole("button", { name: "Approve", exact: true }).click();
    const field = card(page, "Release now?").getByLabel(/Where to/);
    assert.ok(await field.evaluate((input) => input === document.activeElement), "the first problem has the focus");
    await field.fill("stage");
    await card(page, "Release now?").getByLabel("Comment").fill("Looks well");
    await page.getByRole("button", { name: "Approve", exact: true }).click();
    await page.getByText("Nothing waits for you").waitFor();
    const result = await ended(server, id);
    assert.equal(result.status, "success");
    assert.equal(result.step_results.ask.output.where, "stage");
    assert.equal(result.step_results.ask.output.loud, true);
  });

  test("an approval is rejected, with a comment", async ({ server, open }) => {
    await server.workflow(approval({ message: "Really?" }), "rejected");
    const id = await server.launch("rejected");
    const page = await open("/vwmp/approvals", { dark: true });
    await card(page, "Really?").getByLabel("Comment").fill("Not today");
    await assertAccessible(page, "an approval, dark");
    await card(page, "Really?").getByRole("button", { name: "Reject" }).click();
    await card(page, "Really?").waitFor({ state: "detached" });
    const result = await ended(server, id);
    assert.equal(result.status, "failed");
    assert.match(JSON.stringify(result.step_results.ask), /Not today/);
  });

  test("a bound approval shows the plan that it is for", async ({ server, open }) => {
    await server.workflow(approval({ message: "As planned?", plan: true }), "bound");
    await server.launch("bound");
    const page = await open("/vwmp/approvals");
    const plan = card(page, "As planned?").getByRole("region", { name: "What it is about to do" });
    await plan.getByText("after", { exact: true }).first().waitFor();
    await assertAccessible(page, "a bound approval");
    await card(page, "As planned?").getByRole("button", { name: "Approve" }).click();
    await card(page, "As planned?").waitFor({ state: "detached" });
  });

  test("what waits for somebody else is listed apart and does not count", async ({ server, open }) => {
    await server.workflow(approval({ message: "For Bob?", approvers: ["bob"] }), "others");
    await server.launch("others");
    const page = await open("/vwmp/approvals");
    await page.getByText("Waiting for others").waitFor();
    await page.getByText("For bob", { exact: true }).waitFor();
    assert.equal(await card(page, "For Bob?").count(), 0);
    await page.getByRole("button", { name: "Approvals: none waiting" }).waitFor();
    await assertAccessible(page, "an approval for others");
  });

  test("an answer that comes too late says why, and what waits is asked for again", async ({ server, open }) => {
    await server.workflow(approval({ message: "Too late?" }), "late");
    const id = await server.launch("late");
    const page = await open("/vwmp/approvals", { allow: [/409|400/] });
    await card(page, "Too late?").waitFor();
    // Nothing that the server tells arrives any more, as with a slow line.
    await page.route(/\/api\/vwmp\/executions\/(\?|[\w-]+\/$)/, (route) =>
      route.request().method() === "GET" ? new Promise(() => undefined) : route.continue(),
    );
    await server.api(`executions/${id}/steps/ask/approve/`, { method: "POST", body: { approved: true } });
    await ended(server, id);
    await card(page, "Too late?").getByRole("button", { name: "Approve" }).click();
    await card(page, "Too late?")
      .getByRole("group", { name: /^The answer was not taken/ })
      .waitFor();
  });
});
