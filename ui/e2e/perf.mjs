// What 500 steps cost. Figures are printed for whoever reads them on a quiet
// machine; only what no load can change is asserted: how much is drawn, and
// that a drag moved one card, and a pan the view. Bounds of time are far above any real figure.
import assert from "node:assert/strict";
import { card, eventually, large, middle, placeOf, zoomOf } from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

/** No multiple of what wiggle repeats by, so that a pan ends elsewhere than it began. */
const moves = 65;

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

/** Counts the frames that the page draws while an act lasts, and gives them a second. */
async function framesPerSecond(page, act) {
  await page.evaluate(() => {
    const counted = { frames: 0, from: performance.now(), on: true };
    window.counted = counted;
    const next = () => {
      counted.frames++;
      if (counted.on) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  await act();
  return page.evaluate(() => {
    window.counted.on = false;
    return (window.counted.frames * 1000) / (performance.now() - window.counted.from);
  });
}

/** Where the view stands. */
const viewOf = (page) =>
  page.locator(".react-flow__viewport").evaluate((view) => {
    const { m41, m42 } = new DOMMatrix(getComputedStyle(view).transform);
    return { x: m41, y: m42 };
  });

/** Pans with the pointer, by what of the main thread it takes; the view must have followed. */
async function pan(page, devtools, from) {
  await page.mouse.move(from.x, from.y);
  const before = await viewOf(page);
  await page.mouse.down();
  const taken = await threadTime(devtools, () => wiggle(page, from));
  await page.mouse.up();
  // The last of its moves ends at its own distance from the first.
  const wanted = { x: before.x + (moves % 20) * 3, y: before.y + (moves % 14) * 3 };
  await eventually(async () => {
    const after = await viewOf(page);
    assert.ok(
      Math.abs(after.x - wanted.x) <= 8 && Math.abs(after.y - wanted.y) <= 8,
      `panned from ${JSON.stringify(before)} to ${JSON.stringify(after)}, not to ${JSON.stringify(wanted)}`,
    );
  }, "the pan");
  return taken;
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
    let drag = 0;
    const frames = await framesPerSecond(page, async () => {
      drag = await threadTime(devtools, () => wiggle(page, from));
    });
    await page.mouse.up();
    assert.notDeepEqual(await placeOf(page, dragged), start, "the drag moved the card");
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    assert.deepEqual(await placeOf(page, dragged), start, "and one undo takes it back");

    const empty = await page.getByRole("application").boundingBox();
    const corner = { x: empty.x + empty.width / 2, y: empty.y + 24 };
    const nearPan = await pan(page, devtools, corner);

    await page.getByRole("button", { name: "Show everything" }).click();
    await eventually(async () => (await zoomOf(page)) < 0.35, "the far zoom", 30_000);
    assert.equal(await page.locator("[data-step] code").count(), 0, "far out no card has a text");
    await eventually(async () => (await drawn(page)) > inView, "the cards far out", 30_000);
    const farDrawn = await drawn(page);
    const farPan = await pan(page, devtools, corner);
    await page.keyboard.press("0");
    await eventually(async () => (await zoomOf(page)) === 1 && (await drawn(page)) < 60, "culling", 30_000);

    const { metrics } = await devtools.send("Performance.getMetrics");
    const heap = metrics.find((metric) => metric.name === "JSHeapUsedSize").value / 1e6;
    const each = (time) => `${(time / moves).toFixed(1)} ms`;
    console.log(
      `500 steps, ${connections} connections: edges after ${wall} ms, ${opening.toFixed(0)} ms of main thread`,
    );
    console.log(
      `  at 100 % (${inView} cards drawn): a drag move ${each(drag)} (aim 16), a pan move ${each(nearPan)} (aim 10)`,
    );
    console.log(`  ${frames.toFixed(0)} frames a second during the drag (aim 50)`);
    console.log(`  all in view (${farDrawn} cards drawn): a pan move ${each(farPan)}; heap ${heap.toFixed(0)} MB`);
    // A busy machine may miss an aim, so only ten times as much is a fault.
    assert.ok(wall < 25_000, `edges after ${wall} ms`);
    assert.ok(frames > 5, `${frames} frames a second`);
    assert.ok(drag / moves < 160, `a drag move takes ${each(drag)}`);
    for (const time of [nearPan, farPan]) assert.ok(time / moves < 100, `a pan move takes ${each(time)}`);
  });
});
