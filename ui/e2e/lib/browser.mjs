// The browser of the tests: Debian's Chromium, and pages that write down
// everything a good page must not do.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const artefacts = join(dirname(fileURLToPath(import.meta.url)), "..", "artefacts");
const axeScript = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export const desktop = { width: 1440, height: 900 };
export const tablet = { width: 1024, height: 768 };
export const phone = { width: 390, height: 844 };
export const narrow = { width: 320, height: 720 };

export async function launch() {
  // Without a window Chromium needs half the time: the tests take it so where it is.
  const places = process.env.VWMP_CHROMIUM
    ? [process.env.VWMP_CHROMIUM]
    : ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];
  const executablePath = places.find((path) => existsSync(path));
  if (!executablePath)
    throw new Error(`there is no browser at ${places.join(" or ")}; run scripts/chromium.sh, or set VWMP_CHROMIUM`);
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
}

/** A text without the hosts of its addresses: the digits of a port would fit an expected status. */
const withoutHosts = (text) => text.replace(/\b(?:https?|wss?):\/\/[^\s/]+/g, "");

/**
 * Writes down what the pages of a context, those that are opened later too, write to the console as an error,
 * break by, report of their policy, or ask of another origin. Each of them has the same faults and allow.
 */
async function watch(context, server, allow) {
  const faults = [];
  const fault = (text, shown = text) => {
    if (!allow.some((expected) => expected.test(withoutHosts(text)))) faults.push(shown);
  };
  context.on("page", (page) => {
    Object.assign(page, { faults, allow });
    // What is said aloud stands in the live regions for a while too: a test that looks for a text means what is seen.
    const byText = page.getByText.bind(page);
    page.getByText = (...args) => byText(...args).and(page.locator(":not(.visually-hidden[aria-live] *)"));
  });
  context.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      fault(`console ${message.type()}: ${message.text()} ${message.location().url}`);
  });
  // The lines and columns of a stack are digits too, so only the message is held against what is allowed.
  context.on("weberror", (event) => {
    const error = event.error();
    fault(`error: ${error.message ?? error}`, `error: ${error.stack ?? error}`);
  });
  context.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (
      ["http:", "https:", "ws:", "wss:"].includes(protocol) &&
      origin !== server.url &&
      origin !== server.url.replace("http", "ws")
    ) {
      fault(`a request to another origin: ${request.url()}`);
    }
  });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`);
    });
  });
}

/**
 * Opens a page that is signed in as the server's own account, or as one that server.account made. What a good
 * page doesn't do, it or any other page of its context, is kept in page.faults.
 * Texts in allow (regular expressions) are expected by the test.
 */
export async function openPage(
  browser,
  server,
  { size = desktop, dark = false, allow = [], signIn = true, as, ...rest } = {},
) {
  const context = await browser.newContext({
    viewport: size,
    colorScheme: dark ? "dark" : "light",
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    permissions: ["clipboard-read", "clipboard-write"],
    ...rest,
  });
  context.setDefaultTimeout(20_000);
  await watch(context, server, [...allow]);
  const page = await context.newPage();
  if (as) {
    const answer = await context.request.post(`${server.url}/api/vwmp/auth/login/`, { data: server.credentials(as) });
    if (!answer.ok()) throw new Error(`signing in as ${as}: ${answer.status()} ${await answer.text()}`);
    return page;
  }
  // The context keeps the cookie; the page that the link leads to need not be drawn each time.
  if (signIn) await context.request.get(await server.link(), { maxRedirects: 0 });
  return page;
}

/** Has the system prefer a theme, and waits until the page has followed. */
export async function preferTheme(page, theme) {
  await page.emulateMedia({ colorScheme: theme });
  await page.locator(`html[data-theme=${theme}]`).waitFor();
}

/** What is said aloud, politely or assertively, with exactly this text or one that fits it. */
export function said(page, manner, text) {
  return page.locator(`[aria-live=${manner}] > p`).filter({ hasText: exactly(text) });
}

/** The live regions that the browser gives to screen readers, by the manner in which they are read. */
export async function liveRegions(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  return nodes
    .filter(({ ignored }) => !ignored)
    .map(({ properties }) => properties?.find(({ name }) => name === "live")?.value.value)
    .filter(Boolean)
    .sort();
}

const exactly = (text) =>
  typeof text === "string" ? new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`) : text;

/** Fails where the page did what a good page does not. */
export function assertClean(page) {
  if (page.faults.length > 0) throw new Error(`the page has faults:\n${page.faults.join("\n")}`);
}

/** Checks the page as it stands with axe: WCAG 2.2 A and AA and best practices. */
export async function assertAccessible(page, what, { exclude = [] } = {}) {
  // Asked again and again: the promise of an animation whose element goes may never be kept.
  await page.waitForFunction(() =>
    document
      .getAnimations()
      .every((a) => a.playState !== "running" || a.effect?.getComputedTiming().iterations === Number.POSITIVE_INFINITY),
  );
  // The page's policy forbids inline scripts, so axe comes in through the debugger.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(await axeSource());
  const found = await page.evaluate(
    async ({ exclude }) => {
      // Like dialogs, menus and lists that open above a page are no part of its landmarks.
      window.axe.configure({
        checks: [
          {
            id: "region",
            options: { regionMatcher: "dialog, [role=dialog], [role=alertdialog], [role=menu], [role=listbox], svg" },
          },
        ],
      });
      const result = await window.axe.run(
        { exclude },
        {
          runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
          resultTypes: ["violations"],
        },
      );
      return result.violations.map(
        (v) =>
          `${v.id}: ${v.help}\n${v.nodes
            .slice(0, 4)
            .map((n) => `    ${n.target.join(" ")}\n      ${n.failureSummary?.split("\n").slice(1, 3).join(" ")}`)
            .join("\n")}`,
      );
    },
    { exclude },
  );
  if (found.length > 0) throw new Error(`${what}: axe finds\n${found.join("\n")}`);
}

/**
 * Checks a page, or what is open above it, with axe in both themes and three widths, and that nothing
 * makes it wider than the window. What is open (a locator) must be there in each of them.
 * Leaves the page in the theme and the size that it had.
 */
export async function assertAccessibleEverywhere(
  page,
  what,
  { open = page.locator("body"), sizes = [desktop, phone, narrow] } = {},
) {
  const size = page.viewportSize();
  const theme = await page.locator("html").getAttribute("data-theme");
  for (const next of theme === "dark" ? ["light", "dark"] : ["dark", "light"]) {
    await preferTheme(page, next);
    for (const each of sizes) {
      await page.setViewportSize(each);
      await open.waitFor();
      const where = `${what} at ${each.width}, ${next}`;
      await assertAccessible(page, where);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) throw new Error(`${where}: the page is ${over} px too wide`);
    }
  }
  await page.setViewportSize(size);
}

let source;
async function axeSource() {
  const { readFile } = await import("node:fs/promises");
  source ??= await readFile(axeScript, "utf8");
  return source;
}

/** Keeps a picture of the page as a build artefact. */
export async function picture(page, name, options = {}) {
  await mkdir(artefacts, { recursive: true });
  await page.screenshot({ path: join(artefacts, `${name}.png`), ...options });
}
