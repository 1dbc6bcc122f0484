// A small frame on node's own test runner: one browser for a file, a server
// for whoever asks, and pages that are checked for faults when a test ends.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertClean, launch, openPage, picture } from "./browser.mjs";
import { startServer } from "./server.mjs";

/**
 * Prints a time in milliseconds beside what is aimed at. A busy machine may
 * miss the aim, so only ten times as much is a fault.
 */
export function assertInTime(milliseconds, aim, what) {
  console.log(`  ${what}: ${Math.round(milliseconds)} ms, aim ${aim} ms`);
  assert.ok(milliseconds < 10 * aim, `${what} took ${Math.round(milliseconds)} ms, the aim is ${aim} ms`);
}

/**
 * Describes one area. tests are given { server, open }: open(path, options)
 * opens a signed-in page at a path below the server.
 */
export function area(name, serverOptions, define) {
  describe(name, { concurrency: 1 }, () => {
    const world = { browser: undefined, server: undefined, pages: [] };
    before(async () => {
      world.browser = await launch();
      world.server = await startServer(serverOptions);
    });
    after(async () => {
      await world.browser?.close();
      await world.server?.remove();
    });
    world.open = async (path = "/vwmp/", options) => {
      const page = await openPage(world.browser, world.server, options);
      world.pages.push(page);
      if (path) await page.goto(new URL(path, world.server.url).href);
      return page;
    };
    define((title, run) =>
      test(title, { timeout: 240_000 }, async (context) => {
        try {
          await run(world, context);
          for (const page of world.pages) assertClean(page);
        } catch (error) {
          const last = world.pages.at(-1)?.context().pages().at(-1);
          if (last) {
            await picture(last, `failed-${name}-${title}`.replace(/[^\w-]+/g, "-").slice(0, 120)).catch(
              () => undefined,
            );
          }
          // What the page said of itself is often why the test waited in vain.
          for (const page of world.pages) for (const fault of page.faults) console.error(`  ${title}: ${fault}`);
          throw error;
        } finally {
          for (const page of world.pages.splice(0)) await page.context().close();
        }
      }));
  });
}
