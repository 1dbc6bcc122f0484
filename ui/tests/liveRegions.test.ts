import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path))
  .map((path) => join("src", path));

/** What makes a part of the page a live region, whether in markup or given as a property. */
const live = [
  /\brole["']?\s*[=:]\s*\{?\s*["'`](?:status|alert)["'`]/,
  /\baria-live["']?\s*[=:](?!\s*\{?\s*["'`]off["'`])/,
  /["']aria-live["'],(?!\s*["'`]off["'`])/,
  /\bariaLive\s*=(?!\s*["'`]off["'`])/,
  /<output\b/,
];

const isLive = (text: string) => live.some((pattern) => pattern.test(text));

test("what is looked for is found in each of its forms", () => {
  for (const text of [
    '<p role="status">',
    "<p role={'alert'}>",
    '{ role: "alert" }',
    '<div aria-live="polite">',
    "<div aria-live={manner}>",
    '{ "aria-live": "assertive" }',
    'e.setAttribute("aria-live", "polite")',
    'e.ariaLive = "polite"',
    "<output>",
  ])
    expect(isLive(text), text).toBe(true);
  for (const text of [
    '<p role="log" aria-live="off">',
    'e.setAttribute("aria-live", "off")',
    '<div role="alertdialog">',
  ])
    expect(isLive(text), text).toBe(false);
});

test("section 8: nothing is a live region but the two that the whole app has", () => {
  expect(sources.length).toBeGreaterThan(200);
  expect(sources.filter((path) => isLive(readFileSync(path, "utf8")))).toEqual(["src/components/LiveRegions.tsx"]);
});
