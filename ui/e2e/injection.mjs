import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { area } from "./lib/suite.mjs";

const attack = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
const files = {
  "page.html": `<!doctype html><script>document.title = "hacked"</script>${attack}`,
  "picture.svg": `<svg xmlns="http://www.w3.org/2000/svg"><script>window.hacked=1</script></svg>`,
};

// A step may fetch what the test serves from this machine.
const dir = mkdtempSync(join(tmpdir(), "vwmp-injection-"));
const config = join(dir, "vwmp.yaml");
writeFileSync(config, "plugins: {http: {adapter: {allow_private: true}}}\n");
after(() => rmSync(dir, { recursive: true }));

area("injection", { args: ["--config", config] }, (test) => {
  test("case 37: mark-up in names, descriptions, logs, outputs and comments is shown as text everywhere", async ({
    server,
    open,
  }) => {
    const id = await server.workflow({
      name: `Named ${attack}`,
      description: attack,
      tags: ["<b>tag</b>"],
      triggers: [{ type: "webhook", id: "call" }],
      steps: [
        { id: "a", name: `Step ${attack}`, description: attack, handler: "flow.log", config: { message: attack } },
        { id: "b", handler: "flow.fail", dependencies: ["a"], config: { message: attack } },
      ],
    });
    const run = await server.run(id);
    await server.api("users/", { method: "POST", body: { name: "ann", role: "viewer" } });
    await server.api("auth/tokens/", { method: "POST", body: { name: attack, role: "viewer" } });
    const page = await open(null);
    const places = {
      "": "Named <img",
      [`workflows/${id}`]: attack,
      [`workflows/${id}?view=list`]: "Step <img",
      [`executions/${run.execution_id}?view=steps`]: attack,
      [`executions/${run.execution_id}?view=graph&step=b`]: attack,
      [`designer/${id}?step=a`]: "Step <img",
      [`designer/${id}?panel=source`]: "<img",
      executions: "Named <img",
      triggers: "Named <img",
      "settings/tokens": attack,
      audit: "token.create",
    };
    for (const [path, text] of Object.entries(places)) {
      await page.goto(`${server.url}/vwmp/${path}`);
      await page.locator("h1").first().waitFor();
      if (path === "audit") await page.getByRole("table").getByText("Made an API token").first().waitFor();
      else await page.getByText(text).first().waitFor({ state: "attached" });
      assert.equal(await page.evaluate(() => window.hacked), undefined, path);
      assert.equal(await page.locator('img[src="x"], b:text("tag")').count(), 0, `${path} draws no mark-up`);
    }
  });

  test("case 37: an artefact of HTML or SVG is a download that no browser runs", async ({ server, open }) => {
    const types = { "page.html": "text/html", "picture.svg": "image/svg+xml" };
    const site = createServer((request, response) => {
      const name = request.url.slice(1);
      response.setHeader("Content-Type", types[name]);
      response.end(files[name]);
    }).listen(0, "127.0.0.1");
    await once(site, "listening");
    const id = await server.workflow({
      name: "Fetches files",
      steps: Object.keys(files).map((name, i) => ({
        id: `fetch-${i}`,
        handler: "http.request",
        config: { url: `http://127.0.0.1:${site.address().port}/${name}`, response: "file", response_file: name },
      })),
    });
    const result = await server.run(id);
    site.close();
    assert.equal(result.status, "success", JSON.stringify(result));
    const run = result.execution_id;
    const { artifacts } = await server.api(`executions/${run}/artifacts/`);
    assert.equal(artifacts.length, 2, JSON.stringify(artifacts));
    const page = await open("/vwmp/");
    for (const { sha256, path } of artifacts) {
      const address = `${server.url}/api/vwmp/executions/${run}/artifacts/${sha256}/`;
      const answer = await page.request.get(address);
      const headers = answer.headers();
      assert.match(headers["content-disposition"], /^attachment; filename=/, path);
      assert.equal(headers["x-content-type-options"], "nosniff", path);
      assert.match(headers["content-security-policy"], /^sandbox; default-src 'none'/, path);
      // To go there is to download it: the page stays as it was.
      const download = page.waitForEvent("download");
      await page.goto(address).catch((error) => assert.match(error.message, /Download is starting|ERR_ABORTED/));
      assert.match((await download).suggestedFilename(), /^(page\.html|picture\.svg)$/);
      assert.equal(new URL(page.url()).pathname, "/vwmp/");
      assert.equal(await page.evaluate(() => window.hacked), undefined);
    }
  });
});
