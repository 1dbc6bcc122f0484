import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { picture } from "./lib/browser.mjs";
import { area } from "./lib/suite.mjs";

area("story 3, a failed step", {}, (test) => {
  test("points 27 and 19: the run opens on its failed step, the config is fixed in the designer, and a retry goes on from there", async ({
    server,
    open,
  }) => {
    await writeFile(join(server.workspace, "check.sh"), "echo all is well\n");
    const check = { id: "check", handler: "vwmp.run_validators", name: "Check", config: { validators: ["chek.sh"] } };
    await server.workflow(
      {
        name: "Checked release",
        steps: [
          { id: "build", handler: "flow.log", name: "Build", config: { message: "built" } },
          { ...check, dependencies: ["build"] },
          { id: "tell", handler: "flow.log", name: "Tell", config: { message: "done" }, dependencies: ["check"] },
        ],
      },
      "checked",
    );
    const first = (await server.run("checked")).execution_id;
    const page = await open(`/vwmp/executions/${first}`);
    const panel = page.getByRole("complementary", { name: "Step Check" });
    await panel.getByText('the validator "chek.sh" is not there', { exact: false }).first().waitFor();
    await picture(page, "story-3-1-failed");

    await panel.getByRole("link", { name: "Edit in the designer" }).click();
    await page.waitForURL("**/designer/checked?step=check");
    await page.getByRole("combobox", { name: "Item 1" }).fill("check.sh");
    await picture(page, "story-3-2-designer");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    for (;;) if ((await server.api("workflows/checked/")).revision === 2) break;

    await page.goto(new URL(`/vwmp/executions/${first}`, server.url).href);
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    await page.getByLabel("The newest, version 2").check();
    await picture(page, "story-3-3-retry");
    await page.getByRole("button", { name: "Start the retry" }).click();
    await page.waitForURL((url) => !url.pathname.endsWith(first));
    await page.locator("dl > div").filter({ hasText: "Result" }).getByText("Success").waitFor();
    await picture(page, "story-3-4-success");
    const again = await server.api(`executions/${new URL(page.url()).pathname.split("/").at(-1)}/`);
    assert.equal(again.step_results.build.kept_from, first);
    assert.equal(again.step_results.tell.status, "success");
  });
});
