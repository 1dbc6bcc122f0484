import assert from "node:assert/strict";
import { assertAccessibleEverywhere, desktop, phone, picture, tablet } from "./lib/browser.mjs";
import { card } from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

const first = `name: History
steps:
  - id: one
    handler: flow.log
    config: {message: one}  # at first
  - id: old
    handler: flow.log
    dependencies: [one]
    config: {message: old}
`;
const second = first
  .replace("message: one", "message: uno")
  .replace("old\n", "old\n")
  .replaceAll("id: old", "id: fresh");

let made = 0;
async function stored(server) {
  const id = await server.workflow(first, `history-${++made}`);
  await server.api(`workflows/${id}/?message=Spanish`, { method: "PUT", body: second });
  return id;
}

const panel = (page) => page.getByRole("complementary", { name: "Versions" });

area("versions", {}, (test) => {
  test("point 61: number, time, author, note and changed steps", async ({ server, open }) => {
    const id = await stored(server);
    const page = await open(`/vwmp/designer/${id}?panel=history`);
    const list = panel(page).getByRole("list", { name: "Versions, the newest first" });
    const [newest, oldest] = [list.getByRole("listitem").first(), list.getByRole("listitem").last()];
    await newest.getByText("Version 2").waitFor();
    await newest.getByText("by admin · 3 steps changed").waitFor();
    await newest.getByText("Spanish").waitFor();
    assert.ok(await newest.locator("time").getAttribute("datetime"));
    await oldest.getByText("First version, 2 steps").waitFor();
    await assertAccessibleEverywhere(page, "the versions", { open: oldest });
  });

  test("point 61: two versions as graph and as text", async ({ server, open }) => {
    const id = await stored(server);
    const page = await open(`/vwmp/designer/${id}?panel=history`);
    await panel(page).getByRole("button", { name: "Compare version 2" }).click();
    const dialog = page.getByRole("dialog", { name: "Compare versions" });
    const graph = dialog.getByRole("application");
    await graph.locator('[data-step="fresh"]').getByText("Added").waitFor();
    await graph.locator('[data-step="old"]').getByText("Removed").waitFor();
    await graph.locator('[data-step="one"]').getByText("Changed").waitFor();
    const marks = await Promise.all(
      ["fresh", "old", "one"].map((id) =>
        graph
          .locator(`[data-step="${id}"] span[data-status]:has(> svg)`)
          .evaluate((mark) => getComputedStyle(mark).color),
      ),
    );
    assert.equal(new Set(marks).size, 3, `each kind of change has a colour and an icon of its own: ${marks}`);
    const changes = dialog.getByRole("list", { name: "What changed" });
    await changes.getByText("config.message").waitFor();
    // A narrow window draws the panel anew; the workflow's page, below, keeps the dialog at every width.
    const sizes = [desktop, tablet];
    await assertAccessibleEverywhere(page, "the graph of two versions", { open: changes, sizes });
    await picture(page, "versions-graph");
    await dialog.getByRole("tab", { name: "Text" }).click();
    await dialog.getByLabel("Version 1").getByText("one}").waitFor();
    await dialog.getByLabel("Version 2").getByText("uno}").waitFor();
    const [before, after] = [
      await dialog.getByLabel("Version 1").boundingBox(),
      await dialog.getByLabel("Version 2").boundingBox(),
    ];
    assert.ok(before.x + before.width <= after.x + 1 && before.y === after.y, "the texts are not side by side");
    await assertAccessibleEverywhere(page, "the texts of two versions", {
      open: dialog.getByLabel("Version 2"),
      sizes,
    });
    await picture(page, "versions-text");
    await dialog.getByLabel("Before").selectOption("Version 2");
    await dialog.getByText("The texts are the same.").waitFor();
  });

  test("point 61: a restore makes a new version, with the text byte for byte", async ({ server, open }) => {
    const id = await stored(server);
    const page = await open(`/vwmp/designer/${id}?panel=history`);
    await card(page, "fresh").waitFor({ timeout: 40_000 });
    await panel(page).getByRole("button", { name: "Restore version 1" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Restore version 1?" });
    await dialog.getByText("It becomes the newest version, number 3.").waitFor();
    await assertAccessibleEverywhere(page, "the question before a restore", { open: dialog, sizes: [desktop, tablet] });
    await dialog.getByRole("button", { name: "Restore it" }).click();
    await panel(page).getByText("Version 3").waitFor();
    await card(page, "old").waitFor();
    assert.equal(await server.api(`workflows/${id}/export/?format=yaml`), first);
    assert.equal(await page.getByText("Unsaved changes").count(), 0);
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await card(page, "fresh").waitFor();
  });

  test("point 61: the workflow's page has them too, also on a phone in the dark", async ({ server, open }) => {
    const id = await stored(server);
    const page = await open(`/vwmp/workflows/${id}`, { size: phone, dark: true });
    await page.getByText("by admin · 3 steps changed").waitFor();
    await page.getByRole("button", { name: "Compare version 2" }).click();
    await page.getByRole("dialog").getByText("config.message", { exact: true }).waitFor();
    const compared = page.getByRole("dialog", { name: "Compare versions" });
    await assertAccessibleEverywhere(page, "versions compared", { open: compared });
    await page.getByRole("tab", { name: "Text" }).click();
    await page.getByLabel("Version 2").last().waitFor();
    await assertAccessibleEverywhere(page, "texts compared", { open: compared.getByLabel("Version 2").last() });
  });
});
