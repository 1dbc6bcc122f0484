import assert from "node:assert/strict";
import { assertAccessible, assertClean, phone } from "./lib/browser.mjs";
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

  test("point 64: the browser loads no more than the budgets, all from its own origin", async ({ server, open }) => {
    const page = await open(null);
    const loaded = async (path, ready) => {
      await page.goto(server.url + path);
      await page.locator(ready).first().waitFor();
      const entries = await page.evaluate(() =>
        performance
          .getEntries()
          .flatMap(({ name, encodedBodySize }) => (encodedBodySize ? [[name, encodedBodySize]] : [])),
      );
      for (const [name] of entries) assert.equal(new URL(name).origin, server.url);
      const code = entries.filter(([name]) => /\.(js|css)$/.test(name));
      assert.ok(code.length > 2, `${path} loads ${code.length} files`);
      return code.reduce((sum, [, size]) => sum + size, 0);
    };
    assert.ok((await loaded("/vwmp/", "h1")) < 190_000);
    const id = await server.workflow({
      name: "One",
      steps: [{ id: "a", handler: "flow.log", config: { message: "a" } }],
    });
    assert.ok((await loaded(`/vwmp/designer/${id}`, "[data-step]")) < 190_000 + 150_000);
  });

  test("point 65: what the console, the policy and foreign requests say is a fault of every test", async ({ open }) => {
    // What is expected is not looked for in a server's address: its port has digits too.
    const page = await open("/vwmp/", { allow: [/127\.0\.0\.1/, /:\d{4,5}\b/] });
    const second = await page.context().newPage();
    await second.goto(page.url());
    await second.evaluate(() => console.error("said in a second page"));
    await page.evaluate(() => {
      console.error("said by the test");
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.head.append(script);
      return Promise.allSettled([fetch("https://elsewhere.invalid/"), fetch("/api/vwmp/none")]);
    });
    assert.equal(await page.evaluate(() => window.ran), undefined);
    for (const expected of [
      /said by the test/,
      /said in a second page/,
      /status of 404/,
      /policy: script-src/,
      /policy: connect-src/,
    ]) {
      assert.ok(
        page.faults.some((fault) => expected.test(fault)),
        `${expected} is in ${page.faults.join("\n")}`,
      );
    }
    assert.throws(() => assertClean(page), /said by the test/);
    assert.throws(() => assertClean(second), /said by the test/);
    page.faults.length = 0;
  });

  test("who is signed out is led to the sign-in page and back", async ({ server, open }) => {
    const page = await open(null, { signIn: false, allow: [/401/], size: phone });
    await page.goto(`${server.url}/vwmp/settings`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByText("Sign in as the administrator of this machine").click();
    await page.getByLabel("Or give the admin token").fill(server.token);
    await page.getByRole("button", { name: "Sign in with the token" }).click();
    await page.waitForURL("**/vwmp/settings");
    await page.getByRole("heading", { name: "Settings" }).waitFor();
  });
});
