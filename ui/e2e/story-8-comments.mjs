// Somebody keeps a well commented workflow, and edits it as text, on the
// canvas and in the settings: every comment stays.
import assert from "node:assert/strict";
import { picture } from "./lib/browser.mjs";
import { card, eventually } from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

const text = `# Nightly report. Ask the data team before you change it.
name: Nightly report   # as it is called in the mail
tags: [report, nightly]  # for the filter

steps:
  # Collect first: the numbers are late on Mondays.
  - id: collect
    handler: flow.log
    config:
      # The level matters to the alerting.
      level: info   # not warning
      message: 'collected'

  # ---- then send ----
  - id: send
    handler: flow.log
    dependencies: [collect]   # never without numbers
    config: {message: "sent"}  # to everybody
# the end
`;
const comments = text.match(/#.*$/gm);

const shown = (page) =>
  page.locator(".cm-line").evaluateAll((lines) => lines.map((line) => line.textContent).join("\n"));

/** Pastes a text at the cursor: typed line ends would be indented by the editor. */
async function paste(page, pasted) {
  await page.evaluate((clip) => navigator.clipboard.writeText(clip), pasted);
  await page.keyboard.press("Control+v");
}

area("story-8", {}, (test) => {
  test("story 8: a source with comments is edited, and keeps them", async ({ server, open }) => {
    const id = await server.workflow(text, "nightly");
    const page = await open(`/vwmp/designer/${id}?panel=source`);
    await card(page, "send").waitFor({ timeout: 40_000 });
    await page.getByRole("textbox", { name: "Workflow as YAML" }).waitFor();
    await picture(page, "story-8-1-opened");

    // As text: a further step, with a comment of its own.
    await page.locator(".cm-line", { hasText: "to everybody" }).click();
    await page.keyboard.press("End");
    await paste(
      page,
      "\n  # and sleep\n  - id: rest\n    handler: flow.log\n    dependencies: [send]\n    config: {message: zzz}",
    );
    await card(page, "rest").waitFor();

    // On the canvas: tidied up, which gives every step a place.
    await card(page, "rest").click();
    await page.keyboard.press("t");
    await eventually(async () => (await shown(page)).includes("position:"), "places in the text");

    // In the settings: another name.
    const name = page.getByRole("complementary", { name: "Settings" }).getByLabel("Name", { exact: true });
    await name.fill("Good night");
    await eventually(async () => (await shown(page)).includes("name: Good night"), "the name in the text");

    await page.keyboard.press("Control+s");
    await page.getByText("Saved, version 2").waitFor();
    await picture(page, "story-8-2-saved");
    const saved = await server.api(`workflows/${id}/export/?format=yaml`);
    for (const comment of [...comments, "# and sleep"])
      assert.ok(saved.includes(comment), `${comment} is gone:\n${saved}`);
    assert.ok(saved.includes("message: 'collected'"), "quotes stay");
    assert.ok(saved.includes("tags: [report, nightly]"), "lists in a line stay");

    // The same after the page was closed and the change was made without the source view.
    await page.goto(`${server.url}/vwmp/designer/${id}`);
    await card(page, "rest").click();
    await page.keyboard.press("Delete");
    await card(page, "rest").waitFor({ state: "detached" });
    await page.keyboard.press("Control+s");
    await page.getByText("Saved, version 3").waitFor();
    const last = await server.api(`workflows/${id}/export/?format=yaml`);
    for (const comment of comments) assert.ok(last.includes(comment), `${comment} is gone:\n${last}`);
    assert.ok(!last.includes("rest"), last);
  });
});
