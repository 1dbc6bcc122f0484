import assert from "node:assert/strict";
import { assertAccessible, phone } from "./lib/browser.mjs";
import { area } from "./lib/suite.mjs";

area("smoke", {}, (test) => {
  test("every page opens under its policy, with one heading and a title of its own", async ({ open }) => {
    const page = await open();
    const titles = new Set();
    for (const path of ["", "executions", "designer", "plugins", "triggers", "approvals", "settings"]) {
      await page.goto(new URL(`/vwmp/${path}`, page.url()).href);
      await page.locator("h1").waitFor();
      assert.equal(await page.locator("h1").count(), 1, path);
      titles.add(await page.title());
      await assertAccessible(page, `/vwmp/${path}`);
    }
    assert.equal(titles.size, 7, [...titles].join(", "));
  });

  test("who is signed out is led to the sign-in page and back", async ({ server, open }) => {
    const page = await open(null, { signIn: false, allow: [/401/], size: phone });
    await page.goto(`${server.url}/vwmp/settings`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Or give the admin token").fill(server.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("**/vwmp/settings");
    await page.getByRole("heading", { name: "Settings" }).waitFor();
  });
});
