import assert from "node:assert/strict";
import { assertAccessible, desktop, narrow } from "./lib/browser.mjs";
import { area } from "./lib/suite.mjs";

area("settings", {}, (test) => {
  test("the settings hold the theme, single-key shortcuts, who one is and what the server is", async ({
    server,
    open,
  }) => {
    const page = await open("/vwmp/settings");
    await page.getByRole("radio", { name: "Dark" }).check();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
    const about = await server.api("about/");
    const main = page.locator("main");
    await main.getByText(about.version, { exact: true }).waitFor();
    assert.match(
      await main.innerText(),
      /User\s+admin[\s\S]*Role\s+Admin[\s\S]*Plugin protocol\s+1[\s\S]*0 workflows, 0 executions/,
    );
    for (const size of [desktop, narrow]) {
      await page.setViewportSize(size);
      await assertAccessible(page, `the settings at ${size.width}, dark`);
    }
    await page.getByRole("radio", { name: "Light" }).check();
    await assertAccessible(page, "the settings, light");
    await page.setViewportSize(desktop);
    await page.getByRole("checkbox", { name: /Single-key/ }).uncheck();
    await page.reload();
    await page.getByRole("heading", { name: "Settings", exact: true }).waitFor();
    assert.equal(await page.getByRole("checkbox", { name: /Single-key/ }).isChecked(), false);
    await page.keyboard.press("e");
    assert.equal(new URL(page.url()).pathname, "/vwmp/settings");
    await page.getByRole("checkbox", { name: /Single-key/ }).check();
    await page.getByRole("heading", { name: "Settings", exact: true }).click();
    await page.keyboard.press("e");
    await page.waitForURL("**/vwmp/executions");
  });
});

area("settings without sign-in", { args: ["--auth", "none"] }, (test) => {
  test("a server that asks nobody to sign in says so", async ({ server, open }) => {
    const page = await open(null, { signIn: false });
    await page.goto(`${server.url}/vwmp/settings`);
    await page.getByText("No sign-in").waitFor();
    await page.getByText("Nobody signs in").waitFor();
    await assertAccessible(page, "no sign-in");
  });
});
