// Two tabs edit one workflow: whatever either of them does, nothing is lost.
import assert from "node:assert/strict";
import { picture } from "./lib/browser.mjs";
import { card } from "./lib/designer.mjs";
import { hasDraft, hasLookedForDrafts, hasNoDraft, watchOffers } from "./lib/drafts.mjs";
import { area } from "./lib/suite.mjs";

const text = `name: Shared
steps:
  - id: left
    handler: flow.log
    config: {message: left}  # of the first tab
  - id: right
    handler: flow.log
    config: {message: right}  # of the second tab
`;

async function remove(page, id) {
  await card(page, id).click();
  await page.keyboard.press("Delete");
  await card(page, id).waitFor({ state: "detached" });
}

area("story-5", {}, (test) => {
  test("story 5: two tabs, one workflow, nothing lost", async ({ server, open }) => {
    const id = await server.workflow(text, "shared");
    const a = await open(`/vwmp/designer/${id}`, { allow: [/412/] });
    const b = await a.context().newPage();
    await b.goto(a.url());
    for (const page of [a, b]) await card(page, "right").waitFor({ timeout: 40_000 });

    // Both change something; the first saves.
    await remove(a, "left");
    await remove(b, "right");
    await a.bringToFront();
    await a.keyboard.press("Control+s");
    await a.getByText("Saved, version 2").waitFor();

    // The second hears of it and still has its own work.
    await b.bringToFront();
    await b.getByText(/Version 2 was saved by admin.*Your changes are kept here/).waitFor();
    await picture(b, "story-5-1-notice");
    assert.equal(await card(b, "left").count(), 1);

    // Its save is not let through in silence; what differs is shown.
    await b.keyboard.press("Control+s");
    const dialog = b.getByRole("dialog");
    await dialog.getByRole("button", { name: "See differences" }).click();
    await dialog.getByRole("list", { name: "Your changes" }).getByText("right").waitFor();
    await dialog.getByRole("list", { name: "Their changes" }).getByText("left").waitFor();
    await picture(b, "story-5-2-differences");

    // It takes theirs, looks, and brings its own back to save it over theirs.
    await dialog.getByRole("button", { name: "Take theirs" }).click();
    await card(b, "right").waitFor();
    await b.getByRole("button", { name: "Undo", exact: true }).click();
    await card(b, "right").waitFor({ state: "detached" });
    await b.keyboard.press("Control+s");
    await b.getByText("Saved, version 3").waitFor();

    // The first tab is told, and has nothing unsaved to lose.
    await a.bringToFront();
    await a.getByRole("button", { name: "Show version 3" }).click();
    await card(a, "left").waitFor();

    // A tab with unsaved work: the other is not offered what is still open.
    await hasNoDraft(a);
    await remove(a, "left");
    await hasDraft(a);
    await watchOffers(b);
    await b.reload();
    await card(b, "left").waitFor();
    await hasLookedForDrafts(b);
    assert.equal(await b.getByText("Restore your unsaved changes").count(), 0);

    // It crashes: the next one is offered it, and has it back.
    await a.close({ runBeforeUnload: false });
    const next = await b.context().newPage();
    await next.goto(b.url());
    await next.getByText(/Restore your unsaved changes from \d\d:\d\d\?/).waitFor();
    await card(next, "left").waitFor();
    await picture(next, "story-5-3-offer");
    await next.getByRole("button", { name: "Restore", exact: true }).click();
    await card(next, "left").waitFor({ state: "detached" });
    await next.getByText("Unsaved changes").first().waitFor();

    // Every version is still there.
    const { versions } = await server.api(`workflows/${id}/versions/`);
    assert.deepEqual(
      versions.map(({ revision }) => revision),
      [3, 2, 1],
    );
    const ids = async (revision) =>
      (await server.api(`workflows/${id}/versions/${revision}/`)).definition.steps.map((step) => step.id);
    assert.deepEqual([await ids(1), await ids(2), await ids(3)], [["left", "right"], ["right"], ["left"]]);
    await picture(next, "story-5-4-end");
  });
});
