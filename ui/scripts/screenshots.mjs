// Makes the pictures of the documentation from data that looks used, in the
// browser of the tests: docs/pictures/dashboard.png and designer.png.
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { assertClean, desktop, launch, openPage } from "../e2e/lib/browser.mjs";
import { startSeeded } from "../e2e/lib/seed.mjs";
import { root } from "../e2e/lib/server.mjs";

const folder = join(root, "docs", "pictures");
const largest = 250_000;

async function keep(page, name) {
  // The pointer and the focus would show in the picture.
  await page.mouse.move(0, 0);
  await page.evaluate(() => document.activeElement?.blur());
  await page.evaluate(() => document.fonts.ready);
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, animations: "disabled" });
  const { size } = await stat(path);
  if (size > largest) throw new Error(`${path} has ${size} bytes, more than ${largest}`);
  console.log(`${path}: ${Math.round(size / 1000)} KB`);
}

async function live(server) {
  await server.launch("canary");
  await server.launch("hotfix", { summary: "Keep the session over a restart" });
}

const server = await startSeeded();
const browser = await launch();
try {
  await mkdir(folder, { recursive: true });
  await live(server);
  const page = await openPage(browser, server, { size: desktop });
  page.setDefaultTimeout(60_000);
  // Whoever uses it daily has put the question for an account away.
  await page.addInitScript(() => localStorage.setItem("vwmp-first-account", "1"));
  await page.goto(new URL("/vwmp/", server.url).href);
  await page.getByRole("button", { name: "1 approval waiting for you" }).waitFor();
  await page.getByRole("row").filter({ hasText: "Hotfix release" }).getByText("Waiting").waitFor();
  await page.getByRole("img", { name: /in the last 14 days/ }).waitFor();
  await keep(page, "dashboard");
  await page.goto(new URL("/vwmp/designer/standard-release?step=step-1", server.url).href);
  await page.locator("[data-step]").first().waitFor();
  await page.locator(".react-flow__edge").first().waitFor({ state: "attached" });
  // The first half of the release at a glance, the step that it begins with at the left.
  for (let i = 0; i < 2; i++) await page.getByRole("button", { name: "Zoom out" }).click();
  await page.locator('[data-step="step-4"]').waitFor();
  await page.mouse.move(700, 750);
  await page.mouse.down({ button: "middle" });
  await page.mouse.move(420, 750, { steps: 8 });
  await page.mouse.up({ button: "middle" });
  await page.locator('[data-step="step-6"]').waitFor();
  await keep(page, "designer");
  assertClean(page);
} finally {
  await browser.close();
  await server.remove();
}
