import assert from "node:assert/strict";
import { assertAccessible, picture } from "./lib/browser.mjs";
import { area } from "./lib/suite.mjs";

const document = {
  name: "Go live",
  steps: [
    { id: "build", handler: "flow.log", name: "Build", config: { message: "built" } },
    {
      id: "ask",
      handler: "flow.approval",
      name: "Ask",
      dependencies: ["build"],
      config: {
        message: "Release the website now?",
        approvers: ["admin"],
        form: {
          type: "object",
          required: ["where"],
          properties: { where: { type: "string", enum: ["stage", "production"], title: "Where to" } },
        },
      },
    },
    {
      id: "release",
      handler: "flow.log",
      name: "Release",
      config: { message: "to ${step-outputs.ask.where}" },
      dependencies: ["ask"],
    },
  ],
};
const stepsOf = async (server, id) => (await server.api(`executions/${id}/`)).step_results;
const result = (page, word) => page.locator("dl > div").filter({ hasText: "Result" }).getByText(word, { exact: true });

area("story 4, an approval", {}, (test) => {
  test("a run asks, is answered with its form, and goes on", async ({ server, open }) => {
    await server.workflow(document, "live");
    const id = await server.launch("live");
    const page = await open(`/vwmp/executions/${id}`);
    await page.getByText("The step “Ask” waits for an approval").waitFor();
    await picture(page, "story-4-1-waiting");
    const waiting = await stepsOf(server, id);
    assert.equal(waiting.build.status, "success", "what comes before is done");
    assert.equal(waiting.ask.status, "waiting");
    assert.equal(waiting.release.status, "pending", "what comes after is still to come");
    await page.getByRole("button", { name: "Answer" }).click();
    const form = page.getByRole("region", { name: "Approval" });
    await form.getByText("Release the website now?").waitFor();
    await assertAccessible(page, "an approval");
    await form.getByRole("button", { name: "Approve" }).click();
    await page.waitForFunction(() => document.activeElement?.tagName === "SELECT");
    await form.getByLabel("Where to").selectOption({ label: "production" });
    await form.getByLabel("Comment").fill("all green");
    await picture(page, "story-4-2-answer");
    await form.getByRole("button", { name: "Approve" }).click();
    await result(page, "Success").waitFor();
    await picture(page, "story-4-3-done");
    const steps = await stepsOf(server, id);
    assert.deepEqual(steps.build, waiting.build, "what was done is not run again");
    assert.equal(steps.build.attempts, 1);
    assert.ok(steps.release.started_at >= steps.ask.completed_at, "what comes after began with the answer");
    assert.equal(steps.ask.output.where, "production");
    assert.equal(steps.ask.output.comment, "all green");
    assert.equal(steps.release.output.message, "to production");
  });

  test("a run that is refused fails and says who refused it and why", async ({ server, open }) => {
    await server.workflow(document, "live");
    const id = await server.launch("live");
    const page = await open(`/vwmp/executions/${id}?step=ask`);
    const form = page.getByRole("region", { name: "Approval" });
    await form.getByLabel("Comment").fill("not on a Friday");
    await form.getByRole("button", { name: "Reject" }).click();
    await result(page, "Failed").waitFor();
    await page.getByText("rejected by admin: not on a Friday").first().waitFor();
    await picture(page, "story-4-4-rejected");
  });
});
