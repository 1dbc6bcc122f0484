import assert from "node:assert/strict";
import { assertAccessible, assertAccessibleEverywhere, liveRegions, narrow, phone, said } from "./lib/browser.mjs";
import { area } from "./lib/suite.mjs";

const lost = [/ERR_CONNECTION_REFUSED/, /WebSocket/, /502|503/];

area("shell", {}, (test) => {
  test("point 1: the header leads everywhere and marks the page one is on", async ({ open }) => {
    const page = await open();
    const nav = page.getByRole("navigation", { name: "Main" });
    for (const name of ["Overview", "Executions", "Designer", "Triggers", "Plugins"]) {
      await nav.getByRole("link", { name }).click();
      await nav.locator('[aria-current="page"]', { hasText: name }).waitFor();
      assert.equal(await nav.locator('[aria-current="page"]').innerText(), name);
    }
    await page.getByRole("button", { name: /^Theme/ }).waitFor();
    await page.getByRole("button", { name: "Keyboard shortcuts" }).waitFor();
    await page.getByRole("link", { name: "VWMP, overview" }).click();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    assert.equal(await nav.locator('[aria-current="page"]').innerText(), "Overview");
    await page.setViewportSize(narrow);
    await page.getByRole("button", { name: "Pages" }).click();
    const menu = page.getByRole("menu");
    await menu.waitFor();
    assert.deepEqual(await menu.locator('[aria-current="page"]').allInnerTexts(), ["Overview"]);
    // Wider windows have the links themselves.
    await assertAccessibleEverywhere(page, "the menu of pages", { open: menu, sizes: [phone, narrow] });
    await page.getByRole("menuitem", { name: "Executions" }).click();
    await page.getByRole("heading", { level: 1, name: "Executions" }).waitFor();
    await page.getByRole("button", { name: "Pages" }).click();
    assert.equal(await page.getByRole("menuitem", { name: "Executions" }).getAttribute("aria-current"), "page");
  });

  test("point 2: every page has one heading and one main, a title of its own, and skips to its content first", async ({
    server,
    open,
  }) => {
    const step = { id: "a", handler: "flow.log", config: { message: "a" } };
    const id = await server.workflow({ name: "Titled", steps: [step] }, "titled");
    const { execution_id: run } = await server.run(id);
    const { execution_id: other } = await server.run(id);
    const page = await open(null, { allow: [/401|404/] });
    const titles = new Map();
    for (const [path, name] of [
      ["workflows/titled", "Titled"],
      ["designer/titled", "Titled"],
      [`executions/${run}`, "Titled"],
      [`executions/${run}/compare/${other}`, "Compare executions"],
      ["audit", "Audit trail"],
      ["settings/profile", "You"],
      ["settings/tokens", "API tokens"],
      ["settings/accounts", "Accounts"],
      ["settings/secrets", "Secrets"],
      ["no/such/page", "Not Found"],
      ["sign-in", "Sign in"],
    ]) {
      if (path === "sign-in") await page.context().clearCookies();
      await page.goto(`${server.url}/vwmp/${path}`);
      const heading = page.getByRole("heading", { level: 1 });
      await heading.filter({ hasText: name }).waitFor();
      assert.equal(await heading.count(), 1, path);
      assert.equal(await page.locator("main").count(), 1, path);
      const title = await page.title();
      assert.match(title, /^.+ · VWMP$/, path);
      assert.ok(!titles.has(title), `${path} and ${titles.get(title)} are both called ${title}`);
      titles.set(title, path);
      // Only the sign-in page puts the focus somewhere, into its first field.
      if (path === "sign-in") {
        await page.evaluate(() => {
          document.body.tabIndex = -1;
          document.body.focus();
        });
      }
      await page.keyboard.press("Tab");
      const skip = page.getByRole("link", { name: "Skip to content" });
      assert.ok(await skip.evaluate((link) => link === document.activeElement), `the first stop of ${path}`);
      assert.ok((await skip.boundingBox()).y >= 0, `it is seen on ${path}`);
      await page.keyboard.press("Enter");
      assert.equal(new URL(page.url()).hash, "#main", path);
    }
  });

  test("point 2: the first Tab stop skips to the content, and going somewhere moves the focus there", async ({
    open,
  }) => {
    const page = await open("/vwmp/settings");
    await page.getByRole("heading", { name: "Settings", exact: true }).waitFor();
    await page.keyboard.press("Tab");
    const skip = page.getByRole("link", { name: "Skip to content" });
    assert.ok(await skip.evaluate((link) => link === document.activeElement));
    const box = await skip.boundingBox();
    assert.ok(box.y >= 0, "it can be seen while it has the focus");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "General");
    await page.getByRole("link", { name: "Executions" }).click();
    await page.getByRole("heading", { level: 1, name: "Executions" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    assert.equal(await page.title(), "Executions · VWMP");
    assert.equal(await page.locator("main").count(), 1);
  });

  test("point 3: the theme follows the system until one is chosen, and then survives a reload without a flash", async ({
    open,
  }) => {
    const page = await open("/vwmp/settings", { dark: true });
    const hasTheme = (theme) => page.locator(`html[data-theme=${theme}]`).waitFor();
    await hasTheme("dark");
    await page.emulateMedia({ colorScheme: "light" });
    await hasTheme("light");
    await page.getByRole("button", { name: /^Theme/ }).click();
    await assertAccessibleEverywhere(page, "the theme menu", { open: page.getByRole("menu") });
    await page.getByRole("menuitem", { name: "Dark" }).click();
    await hasTheme("dark");
    // What stands when the body is first there is what is painted first.
    await page.addInitScript(() => {
      new MutationObserver((_, observer) => {
        if (!document.body) return;
        window.firstTheme = document.documentElement.dataset.theme;
        observer.disconnect();
      }).observe(document, { childList: true, subtree: true });
    });
    await page.reload();
    await page.getByRole("heading", { name: "Settings", exact: true }).waitFor();
    assert.equal(await page.evaluate(() => window.firstTheme), "dark");
    assert.ok(await page.getByRole("radio", { name: "Dark" }).isChecked());
    await page.getByRole("radio", { name: "As the system" }).check();
    await hasTheme("light");
  });

  test("point 4: ? opens the sheet of shortcuts, and single keys are turned off in it", async ({ open }) => {
    const page = await open("/vwmp/");
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.keyboard.press("?");
    const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await sheet.waitFor();
    await assertAccessibleEverywhere(page, "the shortcut sheet", { open: sheet });
    await sheet.getByRole("checkbox", { name: /Single-key/ }).uncheck();
    // No key is promised that does nothing; the shell has only single ones.
    assert.deepEqual(new Set(await sheet.locator("dd").allInnerTexts()), new Set(["Off"]));
    await assertAccessibleEverywhere(page, "the shortcut sheet, single keys off", { open: sheet });
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "hidden" });
    await page.keyboard.press("e");
    await page.keyboard.press("?");
    // The button answers after the keys, which would have been heard before it.
    await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
    await sheet.getByRole("checkbox", { name: /Single-key/ }).check();
    assert.equal(await page.getByRole("dialog").count(), 1);
    assert.equal(new URL(page.url()).pathname, "/vwmp/");
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "hidden" });
    await page.keyboard.press("e");
    await page.getByRole("heading", { level: 1, name: "Executions" }).waitFor();
  });

  test("point 5: a lost connection is told quietly, loses nothing typed, and what changed meanwhile is there after it", async ({
    server,
    open,
  }) => {
    await server.workflow({ name: "Before", steps: [{ id: "a", handler: "flow.log", config: { message: "a" } }] });
    const page = await open(null, { allow: lost });
    // Nothing of the page comes to the server before this is kept.
    let way = Promise.resolve();
    await page.routeWebSocket("**/ws/**", async (socket) => {
      await way;
      socket.connectToServer();
    });
    await page.route("**/api/**", async (route) => {
      await way;
      await route.continue();
    });
    await page.goto(`${server.url}/vwmp/`);
    await page.getByRole("link", { name: "Before", exact: true }).waitFor();
    await page.getByRole("searchbox").fill("e");
    const bar = page.getByText("Connection lost, trying again");
    let mend;
    way = new Promise((resolve) => {
      mend = resolve;
    });
    await server.kill();
    await bar.waitFor();
    await assertAccessible(page, "the lost connection");
    await server.start();
    await server.workflow({ name: "Meanwhile", steps: [{ id: "a", handler: "flow.log", config: { message: "a" } }] });
    // What changed before the page reaches the server is told by no event: only asking anew shows it.
    assert.ok(await bar.isVisible());
    assert.equal(await page.getByRole("link", { name: "Meanwhile" }).count(), 0);
    mend();
    await bar.waitFor({ state: "hidden", timeout: 20_000 });
    await page.getByRole("link", { name: "Meanwhile" }).waitFor();
    assert.equal(await page.getByRole("searchbox").inputValue(), "e");
  });

  test("point 6: an error says what happened, what to do, and gives a request id to copy", async ({ server, open }) => {
    const page = await open(null, { allow: [/500|404/], size: phone });
    await page.route("**/api/vwmp/workflows/", (route) =>
      route.fulfill({
        status: 500,
        contentType: "application/problem+json",
        body: JSON.stringify({
          title: "Internal error",
          status: 500,
          detail: "The store can't be read.",
          error_code: "EXECUTION_ERROR",
          request_id: "req-123",
        }),
      }),
    );
    await page.goto(new URL("/vwmp/", server.url).href);
    const notice = page.getByRole("group", { name: /^The workflows could not be loaded/ });
    await notice.waitFor({ timeout: 20_000 });
    const text = await notice.innerText();
    assert.match(text, /The workflows could not be loaded: the store can't be read/);
    assert.match(text, /Try again/);
    assert.doesNotMatch(text, /EXECUTION_ERROR|500|\{/);
    await assertAccessible(page, "an error");
    await notice.getByRole("button", { name: "Copy request id" }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "req-123");
    await page.unroute("**/api/vwmp/workflows/");
    await notice.getByRole("button", { name: "Try again" }).click();
    await notice.waitFor({ state: "hidden" });
    await page.goto(new URL("/vwmp/nowhere", server.url).href);
    await page.getByRole("heading", { level: 1, name: "Not Found" }).waitFor();
    await page.getByText("There is nothing at this path.", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Go to the overview" }).click();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    // An address that only the page itself goes to.
    await page.evaluate(() => history.pushState(null, "", "/vwmp/nowhere"));
    await page.getByRole("heading", { level: 1, name: "Page not found" }).waitFor();
    assert.equal(await page.title(), "Page not found · VWMP");
    await page.getByText("There is no page at this address").waitFor();
  });

  test("a part that is gone after an update is told of in a message that stays, and nothing is reloaded unasked", async ({
    open,
  }) => {
    const page = await open("/vwmp/settings");
    await page.getByRole("heading", { name: "Settings", exact: true }).waitFor();
    await page.evaluate(() => {
      window.stays = true;
      dispatchEvent(new Event("vite:preloadError", { cancelable: true }));
    });
    const told = page.locator("[role=alertdialog]", { hasText: "A new version is ready" });
    await told.getByText("Save your work, then reload the page to use it.").waitFor();
    await assertAccessibleEverywhere(page, "the message of a new version", { open: told });
    assert.ok(await page.evaluate(() => window.stays));
    await told.locator("button", { hasText: "Reload" }).click();
    await page.waitForFunction(() => !window.stays);
  });

  test("section 8: every page has one polite and one assertive live region, and says in them what changes and what fails", async ({
    server,
    open,
  }) => {
    const step = { id: "a", name: "Spoken step", handler: "flow.log", config: { message: "a" } };
    const id = await server.workflow({ name: "Spoken", steps: [step] }, "spoken");
    const { execution_id: run } = await server.run(id);
    const page = await open(null, { allow: [/409|500/] });
    const go = (path) => page.goto(new URL(path, server.url).href);
    const two = ["assertive", "polite"];
    for (const [path, drawn] of [
      ["/vwmp/", page.getByRole("row", { name: /Spoken/ })],
      ["/vwmp/executions", page.getByRole("row", { name: /Spoken/ })],
      [`/vwmp/executions/${run}`, page.getByRole("button", { name: /Spoken step/ }).first()],
      [`/vwmp/workflows/${id}`, page.getByRole("heading", { level: 1, name: "Spoken" })],
      ["/vwmp/designer", page.getByRole("button", { name: "Blank workflow" })],
      [`/vwmp/designer/${id}?panel=source`, page.locator(".cm-content")],
      ["/vwmp/audit", page.getByRole("button", { name: "Check the chain" })],
    ]) {
      await go(path);
      await drawn.first().waitFor();
      assert.deepEqual(await liveRegions(page), two, path);
    }

    // A change.
    await go("/vwmp/");
    await page.getByRole("row", { name: /Spoken/ }).waitFor();
    await page.getByRole("searchbox", { name: "Search workflows" }).fill("spoken");
    await said(page, "polite", "1 workflow").waitFor();
    assert.equal(await page.locator("[aria-live=assertive]").innerText(), "");

    // An error while a modal dialog hides everything else.
    await page.route("**/api/vwmp/workflows/spoken/", (route) =>
      route.request().method() === "DELETE"
        ? route.fulfill({
            status: 500,
            contentType: "application/problem+json",
            body: JSON.stringify({ type: "about:blank", title: "x", status: 500, detail: "The store is torn." }),
          })
        : route.continue(),
    );
    await page.getByRole("button", { name: "More actions for Spoken" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    const dialog = page.getByRole("alertdialog");
    const refused = "The workflow could not be deleted: the store is torn.";
    const whole = `${refused} Try again. If it stays, give the request id to whoever runs the server.`;
    for (const times of [1, 2]) {
      await dialog.getByRole("button", { name: "Delete workflow" }).click();
      await said(page, "assertive", whole)
        .nth(times - 1)
        .waitFor();
    }
    assert.equal(await page.getByRole("main").count(), 0, "the dialog is modal");
    assert.deepEqual(await liveRegions(page), two, "with a modal dialog");
    // It is also seen, and no part of the dialog is a region.
    await dialog.getByRole("group", { name: refused }).waitFor();

    // A change in a modal dialog.
    await go("/vwmp/designer");
    await page.getByRole("button", { name: "Import…" }).click();
    const brought = page.getByRole("dialog", { name: "Import a workflow" });
    await brought.getByLabel("YAML or JSON").fill("name: Brought\nsteps:\n  - id: a\n    handler: flow.log\n");
    await said(page, "polite", /^Brought, 1 step\. /).waitFor();
    assert.deepEqual(await liveRegions(page), two, "with the import");
  });

  test("section 8: a message that comes up for a moment is said in the live regions, and is none itself", async ({
    open,
  }) => {
    const page = await open("/vwmp/settings");
    await page.getByRole("heading", { name: "Settings", exact: true }).waitFor();
    await page.evaluate(() => dispatchEvent(new Event("vite:preloadError", { cancelable: true })));
    await page.locator("[role=alertdialog]", { hasText: "A new version is ready" }).waitFor();
    await page
      .locator("[aria-live=polite] > p, [aria-live=assertive] > p")
      .filter({ hasText: /^A new version is ready\. Save your work, then reload the page to use it\.$/ })
      .waitFor();
    assert.deepEqual(await liveRegions(page), ["assertive", "polite"]);
  });

  test("point 7: when the sign-in ends one signs in again on the same page, and what was typed is kept", async ({
    server,
    open,
  }) => {
    const id = await server.workflow({
      name: "Kept",
      steps: [{ id: "a", handler: "flow.log", config: { message: "a" } }],
    });
    const page = await open("/vwmp/", { allow: [/401/, /WebSocket/] });
    const search = page.getByRole("searchbox");
    await search.fill("kept");
    await page.context().clearCookies();
    await page
      .getByRole("button", { name: /^More actions/ })
      .first()
      .click();
    await page.getByRole("menuitem", { name: "Export as YAML" }).click();
    const dialog = page.getByRole("dialog", { name: "Your sign-in has ended" });
    await dialog.waitFor();
    await assertAccessibleEverywhere(page, "signing in again", { open: dialog });
    await page.keyboard.press("Escape");
    assert.ok(await dialog.isVisible(), "nothing but signing in closes it");
    await dialog.getByLabel("Token").fill("wrong");
    await page.keyboard.press("Enter");
    await dialog.getByText("This is not the admin token").waitFor();
    await dialog.getByLabel("Token").fill(server.token);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await search.inputValue(), "kept");
    // The socket is open again too.
    await server.launch(id);
    await page.getByRole("row").filter({ hasText: "Kept" }).getByText("Success").waitFor();
  });

  test("every page reads without scrolling sideways at 320 pixels", async ({ server, open }) => {
    const page = await open(null, { size: narrow });
    for (const path of ["", "executions", "plugins", "triggers", "approvals", "settings"]) {
      await page.goto(new URL(`/vwmp/${path}`, server.url).href);
      await page.locator("h1").waitFor();
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `/vwmp/${path} is ${over} pixels too wide`);
      await assertAccessible(page, `/vwmp/${path} at 320`);
    }
  });

  test("what stands in the place of data that is on its way is no wider than the page", async ({ server, open }) => {
    const page = await open(null, { size: narrow });
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await page.route(/\/api\/vwmp\/(stats|workflows|executions|plugins|triggers)\//, async (route) => {
      await released;
      await route.abort().catch(() => undefined);
    });
    for (const path of ["", "executions", "plugins", "triggers"]) {
      await page.goto(new URL(`/vwmp/${path}`, server.url).href);
      await page.getByRole("heading", { level: 1 }).waitFor();
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `/vwmp/${path} is ${over} pixels too wide while it loads`);
    }
    page.allow.push(/ERR_FAILED/);
    release();
  });
});
