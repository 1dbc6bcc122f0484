// Every page's shortcut sheet against what is pressed here: a key that is
// listed and not in these tables fails, and so does one that does nothing.
import assert from "node:assert/strict";
import {
  canvas,
  card,
  eventually,
  focusedStep,
  openDesigner,
  placeOf,
  selectedIds,
  stepIds,
  steps,
  zoomOf,
} from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });

/** The keys on the sheet of the page that is open; pressing "?" is how they are seen. */
async function listed(page) {
  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await sheet.waitFor();
  const keys = await sheet.locator("dd").allInnerTexts();
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "hidden" });
  return keys.sort();
}

const everywhere = ["?", "E", "N", "O"];

/** Checks that a page lists these keys and no others, then what each of them does. */
async function assertSheet(page, own, what) {
  assert.deepEqual(await listed(page), [...everywhere, ...Object.keys(own)].sort(), what);
  for (const [keys, check] of Object.entries(own)) {
    try {
      await check();
    } catch (error) {
      throw new Error(`${what}: ${keys}: ${error.message}`, { cause: error });
    }
  }
}

area("shortcuts", {}, (test) => {
  test("point 4: the keys of every page lead where the sheet says", async ({ server, open }) => {
    const page = await open("/vwmp/plugins");
    for (const [key, arrived] of [
      ["o", () => heading(page, "Overview").waitFor()],
      ["e", () => heading(page, "Executions").waitFor()],
      ["n", () => heading(page, "New workflow").waitFor()],
    ]) {
      await page.goto(`${server.url}/vwmp/plugins`);
      await heading(page, "Plugins").waitFor();
      await page.keyboard.press(key);
      await arrived();
    }
  });

  test("point 4: pages without keys of their own list those of every page", async ({ server, open }) => {
    const id = await server.workflow({ name: "Ran", steps: steps("a") });
    const { execution_id: run } = await server.run(id);
    const page = await open(null);
    for (const path of ["plugins", "triggers", "approvals", "settings", "audit", "designer", `executions/${run}`]) {
      await page.goto(`${server.url}/vwmp/${path}`);
      await page.locator("h1").waitFor();
      await assertSheet(page, {}, path);
    }
  });

  test("point 4: the keys of the overview, the executions and a workflow", async ({ server, open }) => {
    const id = await server.workflow({ name: "Pressed", steps: steps("a") });
    const page = await open("/vwmp/");
    await page.getByRole("link", { name: "Pressed", exact: true }).waitFor();
    await assertSheet(
      page,
      {
        "/": async () => {
          await page.keyboard.press("/");
          const search = page.getByRole("searchbox", { name: "Search workflows" });
          assert.ok(await search.evaluate((field) => field === document.activeElement));
          assert.equal(await search.inputValue(), "");
        },
      },
      "overview",
    );

    await page.goto(`${server.url}/vwmp/executions`);
    const onlyFailed = page.getByRole("button", { name: "Only failed" });
    await onlyFailed.waitFor();
    const pressed = (is) => eventually(async () => (await onlyFailed.getAttribute("aria-pressed")) === is);
    await assertSheet(
      page,
      {
        F: async () => {
          await page.keyboard.press("f");
          await pressed("true");
          assert.equal(new URL(page.url()).search, "?result=failed");
          await page.keyboard.press("f");
          await pressed("false");
          assert.equal(new URL(page.url()).search, "");
        },
      },
      "executions",
    );

    await page.goto(`${server.url}/vwmp/workflows/${id}`);
    await page.getByRole("button", { name: "Execute", exact: true }).waitFor();
    await assertSheet(
      page,
      {
        "Ctrl+Enter": async () => {
          await page.keyboard.press("Control+Enter");
          await page.getByRole("table", { name: "Executions" }).getByText("Success").waitFor();
        },
        "Shift+E": async () => {
          await page.keyboard.press("Shift+E");
          await page.waitForURL(`**/vwmp/designer/${id}`);
        },
      },
      "workflow",
    );
  });

  test("point 4: the keys of the designer", async (world) => {
    const page = await openDesigner(world, { name: "Keys", steps: steps("a", "b:a") });
    const press = (keys) => page.keyboard.press(keys);
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    const at = (id) => card(page, id).focus();
    const dialog = async (keys, name) => {
      await press(keys);
      const shown = page.getByRole("dialog", { name });
      await shown.waitFor();
      await press("Escape");
      await shown.waitFor({ state: "detached" });
    };
    let start;
    const moved = async (by) => assert.deepEqual(await placeOf(page, "a"), { x: start.x, y: start.y + by });
    const own = {
      "/": () => dialog("/", "Add a step"),
      C: async () => {
        await at("a");
        await dialog("c", /Connect/);
      },
      L: async () => {
        const list = page.getByRole("complementary", { name: "List of steps" });
        await press("l");
        await list.waitFor();
        await at("a");
        await press("l");
        await list.waitFor({ state: "detached" });
      },
      Enter: async () => {
        await at("a");
        await press("Enter");
        const settings = page.getByRole("complementary", { name: "Settings" });
        await eventually(() => settings.evaluate((panel) => panel.contains(document.activeElement)));
        await press("Escape");
        await eventually(async () => (await focusedStep(page)) === "a");
      },
      Space: async () => {
        assert.deepEqual(await selectedIds(page), ["a"]);
        await press("Space");
        assert.deepEqual(await selectedIds(page), []);
      },
      "Alt+Arrows": async () => {
        start = await placeOf(page, "a");
        await press("Alt+ArrowDown");
        await moved(10);
      },
      M: async () => {
        await press("m");
        await press("ArrowDown");
        await press("m");
        await moved(20);
      },
      "Ctrl+Z": async () => {
        await press("Control+z");
        await eventually(async () => (await placeOf(page, "a")).y < start.y + 20);
      },
      "Ctrl+Shift+Z": async () => {
        await press("Control+Shift+z");
        await eventually(() => moved(20).then(() => true));
      },
      "Ctrl+Y": async () => {
        await press("Control+z");
        await eventually(async () => (await placeOf(page, "a")).y < start.y + 20);
        await press("Control+y");
        await eventually(() => moved(20).then(() => true));
      },
      T: async () => {
        await press("t");
        await eventually(() => moved(0).then(() => true));
      },
      "Ctrl+A": async () => {
        await at("a");
        await press("Control+a");
        assert.deepEqual(await selectedIds(page), ["a", "b"]);
        await press("Escape");
      },
      "Ctrl+D": async () => {
        await at("b");
        await press("Control+d");
        await card(page, "b-2").waitFor();
      },
      Delete: async () => {
        await at("b-2");
        await press("Delete");
        await card(page, "b-2").waitFor({ state: "detached" });
      },
      "Ctrl+C": async () => {
        await at("b");
        await press("Space");
        await press("Control+c");
        assert.deepEqual(
          JSON.parse(await clipboard()).steps.map(({ id }) => id),
          ["b"],
        );
      },
      "Ctrl+V": async () => {
        await press("Control+v");
        await card(page, "b-2").waitFor();
      },
      "Ctrl+X": async () => {
        await press("Control+x");
        await card(page, "b-2").waitFor({ state: "detached" });
        assert.deepEqual(await stepIds(page), ["a", "b"]);
      },
      0: async () => {
        await press("0");
        await eventually(async () => (await zoomOf(page)) === 1);
      },
      "-": async () => {
        await press("-");
        await eventually(async () => (await zoomOf(page)) < 1);
      },
      "+": async () => {
        await press("0");
        await eventually(async () => (await zoomOf(page)) === 1);
        await press("+");
        await eventually(async () => (await zoomOf(page)) > 1);
      },
      F: async () => {
        await press("f");
        await eventually(async () => {
          const room = await canvas(page).boundingBox();
          const boxes = await Promise.all(["a", "b"].map((id) => card(page, id).boundingBox()));
          const inside = boxes.every(
            (box) =>
              box.x >= room.x &&
              box.y >= room.y &&
              box.x + box.width <= room.x + room.width &&
              box.y + box.height <= room.y + room.height,
          );
          return inside && (await zoomOf(page)) <= 1;
        }, "everything in view");
      },
      "Ctrl+S": async () => {
        await press("Control+s");
        await page.getByText("Saved, version 2").waitFor();
      },
    };
    await assertSheet(page, own, "designer");
  });

  test("point 4: what is typed right after a key goes into the list that it opens, not to the page behind", async (world) => {
    const page = await openDesigner(world, { name: "Pair", steps: steps("a", "b") });
    await card(page, "a").focus();
    // Where a page draws late, much is typed before the next picture: here all of it.
    await page.evaluate(() => {
      const drawn = globalThis.requestAnimationFrame.bind(globalThis);
      globalThis.requestAnimationFrame = (then) => setTimeout(() => drawn(then), 1_500);
    });
    const typedInto = async (key, text, name) => {
      await page.keyboard.press(key);
      await page.keyboard.type(text);
      const field = page.getByRole("dialog", { name }).getByRole("combobox");
      assert.equal(await field.inputValue({ timeout: 1_000 }), text);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    };
    await typedInto("c", "lent", /^Connect/);
    await typedInto("/", "one", "Add a step");
    // A dialog without a field of its own gets the focus later, and what is typed until then goes nowhere.
    await page.keyboard.press("?");
    await page.keyboard.type("lent");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    assert.equal(new URL(page.url()).pathname, `/vwmp/designer/${page.workflowId}`);
    const list = page.getByRole("complementary", { name: "List of steps" });
    assert.equal(await list.count(), 0);
    // One that closes is in the page for a moment yet, and holds it no more.
    await page.keyboard.press("Escape");
    await page.keyboard.press("l");
    await list.waitFor();
  });
});
