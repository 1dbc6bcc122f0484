import assert from "node:assert/strict";
import { assertAccessible, assertAccessibleEverywhere, desktop, narrow } from "./lib/browser.mjs";
import { eventually } from "./lib/designer.mjs";
import { area } from "./lib/suite.mjs";

const step = { id: "a", handler: "flow.log", config: { message: "a" } };

const menu = (page, user) => page.getByRole("button", { name: new RegExp(`^${user}, `) });
const row = (page, table, text) =>
  page.getByRole("table", { name: table }).locator("tbody tr").filter({ hasText: text });

area("signing in", {}, (test) => {
  test("somebody who is signed out signs in by name and password, and comes back to the page they wanted", async ({
    server,
    open,
  }) => {
    await server.account("ann", "editor", { teams: ["ops", "dev"] });
    const id = await server.workflow({ name: "Wanted", steps: [step] });
    const page = await open(null, { signIn: false, allow: [/401/] });
    await page.goto(`${server.url}/vwmp/workflows/${id}?view=list`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await eventually(() => page.evaluate(() => document.activeElement.id === "user"), "the focus on the name");
    assert.equal(await page.getByLabel("Name").getAttribute("autocomplete"), "username");
    assert.equal(await page.getByLabel("Password").getAttribute("autocomplete"), "current-password");
    await assertAccessible(page, "the sign-in page");
    await page.getByText("Sign in as the administrator of this machine").click();
    await assertAccessible(page, "the sign-in page with all its ways");
    await page.setViewportSize(narrow);
    await page.emulateMedia({ colorScheme: "dark" });
    await assertAccessible(page, "the sign-in page at 320, dark");
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    await page.setViewportSize(desktop);
    await page.emulateMedia({ colorScheme: "light" });

    await page.getByLabel("Name").fill("Ann ");
    await page.getByLabel("Password").fill("not the password");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("The name or the password is wrong, or the account is disabled.").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "password");
    await assertAccessible(page, "a refused sign-in");
    await page.getByLabel("Password").fill(server.credentials("ann").password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Wanted" }).waitFor();
    assert.equal(new URL(page.url()).search, "?view=list");

    await menu(page, "ann").click();
    assert.match(await page.getByRole("menu").innerText(), /ann\s+editor, in ops, dev\s+Change password\s+API tokens/);
    assert.equal(await page.getByRole("menuitem", { name: "Audit trail" }).count(), 0);
    await assertAccessibleEverywhere(page, "the user's menu", { open: page.getByRole("menu") });
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.waitForURL("**/vwmp/sign-in");
    assert.equal((await page.request.get(`${server.url}/api/vwmp/auth/me/`)).status(), 401);
  });

  test("a sign-in leads to no other site", async ({ server, open }) => {
    const page = await open(null, { signIn: false, allow: [/401|404/] });
    for (const next of ["//evil.example/", "https://evil.example/", "/\\evil.example/", "/%09/evil.example"]) {
      await page.goto(`${server.url}/vwmp/sign-in?next=${encodeURIComponent(next)}`);
      await page.getByLabel("Name").fill("ann");
      await page.getByLabel("Password").fill(server.credentials("ann").password);
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => !url.pathname.endsWith("/sign-in"));
      assert.equal(new URL(page.url()).origin, server.url, next);
      await page.context().clearCookies();
    }
  });

  test("a link that was used says so and what to do", async ({ server, open }) => {
    const page = await open(null, { signIn: false, allow: [/401/] });
    const link = await server.link();
    await page.context().request.get(link, { maxRedirects: 0 });
    await page.context().clearCookies();
    await page.goto(link);
    await page.getByRole("alert").getByText("used before, or is older than 10 minutes").waitFor();
    assert.ok(await page.getByText("vwmp open", { exact: true }).isVisible());
    await assertAccessible(page, "a used link");
  });

  test("too many wrong passwords say how long to wait", async ({ server, open }) => {
    const page = await open(null, { signIn: false, allow: [/401|429/] });
    await page.goto(`${server.url}/vwmp/sign-in`);
    await page.getByLabel("Name").fill("ann");
    await page.getByLabel("Password").fill("guessed wrong");
    const told = page.getByRole("alert").getByText(/Too many attempts failed\. Try again in \d+ seconds?\./);
    await eventually(async () => {
      await page.keyboard.press("Enter");
      await page.waitForTimeout(50);
      return told.isVisible();
    }, "the limit");
  });
});

area("the first account", {}, (test) => {
  test("whoever signs in by the printed link is asked to make an account of their own, and uses it at once", async ({
    server,
    open,
  }) => {
    const page = await open("/vwmp/");
    const asked = page.getByRole("region", { name: "Make an account of your own" });
    await asked.waitFor();
    await assertAccessibleEverywhere(page, "the overview with the question for an account");
    await asked.getByRole("button", { name: "Not now" }).click();
    await asked.waitFor({ state: "detached" });
    await page.reload();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByText("No workflows yet").or(page.getByText("No workflow")).first().waitFor();
    assert.equal(await asked.count(), 0, "it was put away");

    await page.goto(`${server.url}/vwmp/settings/accounts`);
    await asked.waitFor();
    await asked.getByRole("button", { name: "Make account and sign in" }).click();
    await asked.getByText("Give a name.").waitFor();
    await eventually(() => page.evaluate(() => document.activeElement.autocomplete === "username"), "the focus");
    await asked.getByRole("textbox", { name: "Your name" }).fill("Ann");
    await asked.getByRole("textbox", { name: "Password" }).fill("a few plain words");
    await asked.getByRole("button", { name: "Make account and sign in" }).click();
    await page.getByText("You are signed in as ann").waitFor();
    await menu(page, "ann").waitFor();
    await asked.waitFor({ state: "detached" });
    await row(page, "Accounts", "ann").getByText("Admin").waitFor();
    assert.match(await row(page, "Accounts", "The server's own account").innerText(), /admin[\s\S]*vwmp open/);
    const { users } = await server.api("users/");
    assert.deepEqual([users.length, users[0].name, users[0].role], [1, "ann", "admin"]);
  });
});

area("accounts", {}, (test) => {
  test("accounts are made, changed, disabled and deleted, and the last administrator stays", async ({
    server,
    open,
  }) => {
    await server.account("ann", "admin");
    const page = await open("/vwmp/settings/accounts", { as: "ann", allow: [/409/] });
    await row(page, "Accounts", "ann").waitFor();
    await page.getByRole("button", { name: "New account" }).click();
    const dialog = page.getByRole("dialog", { name: "New account" });
    await dialog.getByRole("button", { name: "Make account" }).click();
    await dialog.getByText("Give a name.").waitFor();
    await assertAccessibleEverywhere(page, "the dialog of a new account");
    await dialog.getByLabel("Name").fill("bob");
    await dialog.getByLabel("Role").selectOption("executor");
    await dialog.getByLabel("Teams").fill("Ops, dev");
    await dialog.getByRole("textbox", { name: "Password" }).fill("bob's own password");
    await dialog.getByRole("button", { name: "Make account" }).click();
    await dialog.waitFor({ state: "detached" });
    assert.match(
      await row(page, "Accounts", "bob").innerText(),
      /Executor[\s\S]*ops[\s\S]*dev[\s\S]*By password[\s\S]*Active/,
    );
    await assertAccessibleEverywhere(page, "the accounts");

    const login = (password) =>
      fetch(`${server.url}/api/vwmp/auth/login/`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ user: "bob", password }),
      });
    assert.equal((await login("bob's own password")).status, 200);
    await page.getByRole("button", { name: "Actions for bob" }).click();
    await assertAccessibleEverywhere(page, "the menu of an account", { open: page.getByRole("menu") });
    await page.keyboard.press("Escape");
    const act = async (name, item) => {
      await page.getByRole("button", { name: `Actions for ${name}` }).click();
      await page.getByRole("menuitem", { name: item }).click();
    };
    await act("bob", "Role and teams…");
    const edit = page.getByRole("dialog", { name: "Role and teams of bob" });
    await assertAccessibleEverywhere(page, "the dialog of a role", { open: edit });
    await edit.getByLabel("Role").selectOption("viewer");
    await edit.getByLabel("Teams").fill("");
    await edit.getByRole("button", { name: "Save" }).click();
    await row(page, "Accounts", "bob").getByText("Viewer").waitFor();
    assert.deepEqual((await server.api("users/bob/")).teams, []);

    await act("bob", "Sessions…");
    const sessions = page.getByRole("dialog", { name: "Where bob is signed in" });
    await sessions.getByRole("button", { name: /^Sign out/ }).waitFor();
    await assertAccessibleEverywhere(page, "the sessions of an account", { open: sessions });
    await sessions.getByRole("button", { name: /^Sign out/ }).click();
    await sessions.getByText("No browser is signed in.").waitFor();
    await sessions.getByRole("button", { name: "Close" }).last().click();

    await act("bob", "New password…");
    const reset = page.getByRole("dialog", { name: "New password for bob" });
    await reset.getByRole("textbox", { name: "New password" }).fill("too short");
    await reset.getByRole("button", { name: "Set password" }).click();
    await reset.getByText("must have at least 10 characters").waitFor();
    await assertAccessibleEverywhere(page, "the dialog of a new password", { open: reset });
    await reset.getByRole("textbox", { name: "New password" }).fill("another password");
    await reset.getByRole("button", { name: "Set password" }).click();
    await page.getByText("bob has a new password").waitFor();
    assert.equal((await login("bob's own password")).status, 401);
    assert.equal((await login("another password")).status, 200);

    await act("bob", "Disable…");
    const disable = page.getByRole("alertdialog", { name: "Disable bob?" });
    await assertAccessibleEverywhere(page, "the question before an account is disabled", { open: disable });
    await disable.getByRole("button", { name: "Disable account" }).click();
    await row(page, "Accounts", "bob").getByText("Disabled").waitFor();
    assert.equal((await login("another password")).status, 401);
    await act("bob", "Enable");
    await row(page, "Accounts", "bob").getByText("Active").waitFor();
    await act("bob", "Delete…");
    const question = page.getByRole("alertdialog", { name: "Delete bob?" });
    await assertAccessibleEverywhere(page, "the question before an account is deleted", { open: question });
    await question.getByRole("button", { name: "Delete account" }).click();
    await row(page, "Accounts", "bob").waitFor({ state: "detached" });

    await act("ann", "Delete…");
    const last = page.getByRole("alertdialog", { name: "Delete ann?" });
    await last.getByRole("button", { name: "Delete account" }).click();
    await last.getByText("this is the last administrator; make another one first").waitFor();
    await last.getByRole("button", { name: "Cancel" }).click();
    assert.equal((await server.api("users/")).users.length, 1);
  });

  test("one's own password is changed, and signs one's other browsers out", async ({ server, open }) => {
    await server.account("carl", "viewer");
    const other = await open("/vwmp/", { as: "carl", allow: [/401|WebSocket/] });
    await menu(other, "carl").waitFor();
    const page = await open("/vwmp/settings/profile", { as: "carl", allow: [/403/] });
    const list = page.getByRole("list", { name: "Browsers that are signed in" });
    await list.getByText("(this one)").waitFor();
    assert.equal(await list.locator("li").count(), 2);
    await assertAccessibleEverywhere(page, "the own account");
    const form = page.getByRole("form", { name: "Change your password" });
    await form.getByRole("textbox", { name: "Current password" }).fill("not mine");
    await form.getByRole("textbox", { name: "New password" }).fill("carl's newest words");
    await form.getByRole("button", { name: "Change password" }).click();
    await page.getByText("this is not your password until now").waitFor();
    await form.getByRole("textbox", { name: "Current password" }).fill(server.credentials("carl").password);
    await form.getByRole("button", { name: "Change password" }).click();
    await page.getByText("Your password is changed").waitFor();
    await eventually(async () => (await list.locator("li").count()) === 1, "the end of the other session");
    await other.getByRole("dialog", { name: "Your sign-in has ended" }).waitFor();
    const again = other.getByRole("dialog", { name: "Your sign-in has ended" });
    assert.equal(await again.getByLabel("Name").inputValue(), "carl");
    await assertAccessibleEverywhere(other, "signing in again by name", { open: again });
    await again.getByRole("textbox", { name: "Password" }).fill("carl's newest words");
    await other.keyboard.press("Enter");
    await again.waitFor({ state: "detached" });
  });

  test("an API token is shown once, works by REST, and revoking it ends what it has open", async ({ server, open }) => {
    await server.account("dora", "executor");
    const page = await open("/vwmp/settings/tokens", { as: "dora" });
    await page.getByText("You have no API token").waitFor();
    await assertAccessible(page, "no tokens");
    await page.getByRole("button", { name: "New token" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New API token" });
    assert.deepEqual(await dialog.getByLabel("Role").locator("option").allInnerTexts(), ["Viewer", "Executor"]);
    await dialog.getByRole("button", { name: "Make token" }).click();
    await dialog.getByText("Give a name.").waitFor();
    await dialog.getByRole("textbox", { name: "Name" }).fill("for the build");
    await dialog.getByLabel("Role").selectOption("viewer");
    await dialog.getByLabel("Expires").selectOption({ label: "30 days" });
    await assertAccessibleEverywhere(page, "the dialog of a new token", { open: dialog });
    await dialog.getByRole("button", { name: "Make token" }).click();
    const made = page.getByRole("dialog", { name: "The token “for the build”" });
    await made.getByText("it is not shown again").waitFor();
    await assertAccessibleEverywhere(page, "a new token");
    await page.mouse.click(5, 5);
    assert.ok(await made.isVisible(), "a press beside it does not take it away");
    await made.getByRole("button", { name: "Copy token" }).click();
    const token = await page.evaluate(() => navigator.clipboard.readText());
    await made.getByRole("button", { name: "I have copied it" }).click();
    await made.waitFor({ state: "detached" });
    assert.ok(!(await page.content()).includes(token), "the token is gone from the page");

    const headers = { Authorization: `Bearer ${token}` };
    const me = await (await fetch(`${server.url}/api/vwmp/auth/me/`, { headers })).json();
    assert.deepEqual([me.user, me.role], ["dora", "viewer"]);
    const open403 = await fetch(`${server.url}/api/vwmp/secrets/`, { headers });
    assert.equal(open403.status, 403);
    const id = await server.workflow({
      name: "Long",
      steps: [{ id: "a", handler: "flow.wait", config: { duration: "1h" } }],
    });
    const run = await server.launch(id);
    const stream = await fetch(`${server.url}/api/vwmp/executions/${run}/events/`, {
      headers: { ...headers, Accept: "text/event-stream" },
    });
    assert.equal(stream.status, 200);
    await page.reload();
    assert.match(
      await row(page, "API tokens", "for the build").innerText(),
      /dora[\s\S]*Viewer[\s\S]*in \d+ (days|weeks|month)/,
    );
    await assertAccessibleEverywhere(page, "the tokens");
    await page.getByRole("button", { name: "Revoke for the build" }).click();
    const revoke = page.getByRole("alertdialog", { name: "Revoke “for the build”?" });
    await assertAccessibleEverywhere(page, "the question before a token is revoked", { open: revoke });
    const revoked = Date.now();
    await revoke.getByRole("button", { name: "Revoke token" }).click();
    await page.getByText("You have no API token").waitFor();
    // The stream ends by itself; reading it to its end would hang otherwise.
    await stream.text();
    assert.ok(Date.now() - revoked < 5000, "what it had open ended within 5 s");
    assert.equal((await fetch(`${server.url}/api/vwmp/auth/me/`, { headers })).status, 401);
    await server.api(`executions/${run}/cancel/`, { method: "POST" });
  });

  test("administrators make tokens for others, never above their role, and see everybody's", async ({
    server,
    open,
  }) => {
    const page = await open("/vwmp/settings/tokens", { as: "ann" });
    await page.getByRole("button", { name: "New token" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New API token" });
    await dialog.getByRole("textbox", { name: "Name" }).fill("for dora");
    await dialog.getByLabel("Role").selectOption("admin");
    await dialog.getByLabel("Acts for").selectOption("dora");
    assert.deepEqual(await dialog.getByLabel("Role").locator("option").allInnerTexts(), ["Viewer", "Executor"]);
    await dialog.getByRole("button", { name: "Make token" }).click();
    await page.getByRole("button", { name: "I have copied it" }).click();
    await page.getByText("You have no API token").waitFor();
    await page.getByLabel("Whose tokens").selectOption({ label: "Everybody's" });
    await row(page, "API tokens", "for dora").getByText("Executor").waitFor();
    const { tokens } = await server.api("auth/tokens/?user=*");
    assert.deepEqual(
      tokens.map(({ owner, role }) => [owner, role]),
      [["dora", "executor"]],
    );
  });

  test("an open page whose account is disabled says so, keeps what was typed, and does not try for ever", async ({
    server,
    open,
  }) => {
    await server.account("gus", "editor");
    const id = await server.workflow({ name: "Edited", steps: [step] });
    const page = await open(`/vwmp/designer/${id}`, { as: "gus", allow: [/401|WebSocket/] });
    await page.getByRole("textbox", { name: "Description" }).fill("typed before the end");
    await page.getByText("Unsaved changes").first().waitFor();
    await server.api("users/gus/", { method: "PUT", body: { disabled: true } });
    const dialog = page.getByRole("dialog", { name: "Your sign-in has ended" });
    await dialog.waitFor({ timeout: 5000 });
    let sockets = 0;
    page.on("websocket", () => sockets++);
    await page.waitForTimeout(1500);
    assert.equal(sockets, 0, "no socket is opened anew");
    await server.api("users/gus/", { method: "PUT", body: { disabled: false } });
    await dialog.getByRole("textbox", { name: "Password" }).fill(server.credentials("gus").password);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    assert.equal(await page.getByRole("textbox", { name: "Description" }).inputValue(), "typed before the end");
    await page.keyboard.press("Control+s");
    await eventually(
      async () => (await server.api(`workflows/${id}/`)).description === "typed before the end",
      "the saved draft",
    );
  });
});

area("secrets and audit", {}, (test) => {
  test("a secret is set, used, replaced and deleted, and never shown", async ({ server, open }) => {
    const page = await open("/vwmp/settings/secrets");
    await page.getByText("No secret is set").waitFor();
    await assertAccessible(page, "no secrets");
    await page.getByRole("button", { name: "New secret" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New secret" });
    await dialog.getByRole("textbox", { name: "Name" }).fill("9 lives");
    await dialog.getByRole("button", { name: "Set secret" }).click();
    await dialog.getByText("begins with a letter or _").waitFor();
    await dialog.getByText("Give a value.").waitFor();
    await assertAccessibleEverywhere(page, "the dialog of a new secret");
    await dialog.getByRole("textbox", { name: "Name" }).fill("DEPLOY_KEY");
    await dialog.getByRole("textbox", { name: "Value" }).fill("first-line-of-it\nsecond-line-of-it");
    await dialog.getByRole("button", { name: "Set secret" }).click();
    await dialog.waitFor({ state: "detached" });
    await row(page, "Secrets", "DEPLOY_KEY").getByText("${secrets.DEPLOY_KEY}").waitFor();
    assert.ok(!(await page.content()).includes("second-line-of-it"));
    await assertAccessibleEverywhere(page, "the secrets");

    const id = await server.workflow({
      name: "Deploying",
      steps: [
        {
          id: "tell",
          name: "Tell it",
          handler: "shell.run",
          config: {
            script: 'test "$(printf %s "$KEY" | wc -l)" = 1 && echo "$KEY"',
            env: { KEY: "${secrets.DEPLOY_KEY}" },
          },
        },
      ],
    });
    const result = await server.run(id);
    assert.equal(result.status, "success", JSON.stringify(result));
    assert.ok(!JSON.stringify(result).includes("line-of-it"), "the step got it and the result hides it");
    await page.getByRole("button", { name: "Replace DEPLOY_KEY" }).click();
    const replace = page.getByRole("dialog", { name: "New value of “DEPLOY_KEY”" });
    assert.equal(await replace.getByRole("textbox", { name: "Value" }).inputValue(), "");
    await assertAccessibleEverywhere(page, "the dialog of a secret's new value", { open: replace });
    await replace.getByRole("textbox", { name: "Value" }).fill("another value");
    await replace.getByRole("button", { name: "Replace value" }).click();
    await page.getByText("“DEPLOY_KEY” has a new value").waitFor();
    await page.getByRole("button", { name: "Delete DEPLOY_KEY" }).click();
    const question = page.getByRole("alertdialog", { name: "Delete “DEPLOY_KEY”?" });
    await question.getByText("1 workflow refers to it").waitFor();
    assert.match(await question.innerText(), /Deploying: Tell it/);
    await assertAccessibleEverywhere(page, "the question before a secret is deleted", { open: question });
    await question.getByRole("button", { name: "Delete secret" }).click();
    await page.getByText("No secret is set").waitFor();
    const failed = await server.run(id);
    assert.deepEqual([failed.status, failed.step_results.tell.error.code], ["failed", "SECRET_NOT_FOUND"]);
  });

  test("the audit trail lists what was just done, is filtered, exported, and its chain is whole", async ({
    server,
    open,
  }) => {
    await server.account("ann", "admin");
    await server.account("bob", "viewer");
    const page = await open("/vwmp/audit", { as: "ann" });
    const first = page.getByRole("table", { name: "Audit trail" }).locator("tbody tr").first();
    await first.getByText("Signed in").waitFor();
    assert.match(await first.innerText(), /ann[\s\S]*users\/ann[\s\S]*Done[\s\S]*127\.0\.0\.1/);
    await row(page, "Audit trail", "Set a secret").first().getByText("secrets/DEPLOY_KEY").waitFor();
    assert.ok(!(await page.content()).includes("second-line-of-it"), "no value of a secret is in it");
    await page
      .getByRole("button", { name: /Details of record/ })
      .first()
      .click();
    await page
      .getByText("ann, admin, without a sign-in")
      .or(page.getByText(/ann, admin, /))
      .first()
      .waitFor();
    await assertAccessibleEverywhere(page, "the audit trail");

    const refused = await fetch(`${server.url}/api/vwmp/auth/login/`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user: "bob", password: "wrong password" }),
    });
    assert.equal(refused.status, 401);
    await page.getByLabel("Result").selectOption("refused");
    await row(page, "Audit trail", "users/bob").getByText("Nobody").waitFor();
    assert.equal(new URL(page.url()).search, "?result=refused");
    await page.getByLabel("Result").selectOption("");
    await page.getByLabel("Who", { exact: true }).fill("admin");
    await page.getByLabel("Action").selectOption("user.create");
    await eventually(
      async () => (await page.getByRole("table", { name: "Audit trail" }).locator("tbody tr").count()) === 2,
      "the filtered list",
    );
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Export as JSON lines" }).click();
    const file = await download;
    assert.equal(file.suggestedFilename(), "audit.jsonl");
    const chunks = [];
    for await (const chunk of await file.createReadStream()) chunks.push(chunk);
    const records = Buffer.concat(chunks)
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      records.map(({ object }) => object),
      ["users/ann", "users/bob"],
    );
    await page.getByRole("button", { name: "Clear filters" }).first().click();
    await page.getByLabel("On, such as workflows/").fill("nothing/of/this");
    await page.getByText("No record matches").waitFor();
    await assertAccessible(page, "no record");
    await page.getByRole("button", { name: "Check the chain" }).click();
    await page.getByText(/The chain of \d+ records is whole/).waitFor();
  });

  test("a workflow leads to its part of the audit trail", async ({ server, open }) => {
    const id = await server.workflow({ name: "Followed", steps: [step] });
    const page = await open(`/vwmp/workflows/${id}`);
    await page.getByRole("button", { name: "More actions for Followed" }).click();
    await page.getByRole("menuitem", { name: "Audit trail" }).click();
    await row(page, "Audit trail", `workflows/${id}`).getByText("Imported a workflow").waitFor();
    assert.equal(await page.getByRole("table", { name: "Audit trail" }).locator("tbody tr").count(), 1);
  });
});
