// What 500 steps cost. Figures are printed for whoever reads them on a quiet
// machine; only what no load can change is asserted: how much is drawn, and
// that a drag moved one card. Bounds of time are far above any real figure.
import assert from "node:assert/strict";
import { card, eventually, large, middle, placeOf, zoomOf } from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

const moves = 60;

/** Milliseconds of the page's main thread that an act takes, by the debugger's thread clock. */
async function threadTime(devtools, act) {
  const taken = async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    return metrics.find((metric) => metric.name === "TaskDuration").value * 1000;
  };
  const before = await taken();
  await act();
  return (await taken()) - before;
}

const drawn = (page) => page.locator("[data-step]").count();

/** Moves the pressed pointer to and fro, so that no move leads beyond the canvas. */
async function wiggle(page, { x, y }) {
  for (let i = 1; i <= moves; i++) await page.mouse.move(x + (i % 20) * 3, y + (i % 14) * 3);
}

area("perf", {}, (test) => {
  test("point 63: 500 steps open, drag and pan, and only what is in view is drawn", async (world) => {
    const document = large(500);
    const connections = document.steps.reduce((sum, step) => sum + (step.dependencies?.length ?? 0), 0);
    assert.ok(connections > 560 && connections < 700, `${connections} connections`);
    const id = await world.server.workflow(document);
    const page = await world.open(null);
    await page.goto(`${world.server.url}/vwmp/settings`);
    await page.locator("h1").waitFor();
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" });

    let wall = 0;
    const opening = await threadTime(devtools, async () => {
      const start = Date.now();
      await page.goto(`${world.server.url}/vwmp/designer/${id}`);
      await page.locator(".react-flow__edge").first().waitFor({ state: "attached", timeout: 60_000 });
      wall = Date.now() - start;
    });
    assert.equal(await zoomOf(page), 1, "it opens at 100 %, since fitting would make cards unreadable");
    const inView = await drawn(page);
    assert.ok(inView > 0 && inView < 60, `${inView} of 500 cards are drawn at 100 %`);

    const first = page.locator("[data-step]").first();
    const dragged = await first.getAttribute("data-step");
    const start = await placeOf(page, dragged);
    const from = await middle(card(page, dragged));
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(from.x + 8, from.y + 8);
    const drag = await threadTime(devtools, () => wiggle(page, from));
    await page.mouse.up();
    assert.notDeepEqual(await placeOf(page, dragged), start, "the drag moved the card");
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    assert.deepEqual(await placeOf(page, dragged), start, "and one undo takes it back");

    const empty = await page.getByRole("application").boundingBox();
    const corner = { x: empty.x + empty.width / 2, y: empty.y + 24 };
    await page.mouse.move(corner.x, corner.y);
    await page.mouse.down();
    const pan = await threadTime(devtools, () => wiggle(page, corner));
    await page.mouse.up();

    await page.getByRole("button", { name: "Show everything" }).click();
    await eventually(async () => (await zoomOf(page)) < 0.35, "the far zoom", 30_000);
    assert.equal(await page.locator("[data-step] code").count(), 0, "far out no card has a text");
    await eventually(async () => (await drawn(page)) > inView, "the cards far out", 30_000);
    const farDrawn = await drawn(page);
    const farPan = await threadTime(devtools, async () => {
      await page.mouse.move(corner.x, corner.y);
      await page.mouse.down();
      await wiggle(page, corner);
      await page.mouse.up();
    });
    await page.keyboard.press("0");
    await eventually(async () => (await zoomOf(page)) === 1 && (await drawn(page)) < 60, "culling", 30_000);

    const { metrics } = await devtools.send("Performance.getMetrics");
    const heap = metrics.find((metric) => metric.name === "JSHeapUsedSize").value / 1e6;
    const each = (time) => `${(time / moves).toFixed(1)} ms`;
    console.log(
      `500 steps, ${connections} connections: edges after ${wall} ms, ${opening.toFixed(0)} ms of main thread`,
    );
    console.log(
      `  at 100 % (${inView} cards drawn): a drag move ${each(drag)} (aim 16), a pan move ${each(pan)} (aim 10)`,
    );
    console.log(`  all in view (${farDrawn} cards drawn): a pan move ${each(farPan)}; heap ${heap.toFixed(0)} MB`);
    assert.ok(wall < 60_000 && drag / moves < 400 && pan / moves < 400, "not even near the aims");
  });
});
