import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { statuses } from "../src/api/types";

type Tokens = Map<string, string>;

/** Reads the custom properties of one rule of the token file. */
function tokensOf(css: string, selector: string): Tokens {
  const start = css.indexOf(`${selector} {`);
  const body = css.slice(start, css.indexOf("\n}", start));
  return new Map([...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/gi)].map(([, name, value]) => [name!, value!]));
}

function channel(value: number): number {
  const c = value / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

/** Relative luminance, as WCAG 2.2 defines it. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => channel(Number.parseInt(hex.slice(at, at + 2), 16)));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}

const css = readFileSync("src/styles/tokens.css", "utf8");
const light = tokensOf(css, ":root");
const themes: [string, Tokens][] = [
  ["light", light],
  ["dark", new Map([...light, ...tokensOf(css, ':root[data-theme="dark"]')])],
];

const text = 4.5;
const graphic = 3;
const planes = ["bg", "surface", "sunken"];
const pairs: [string, string, number][] = [
  ...planes.flatMap((plane): [string, string, number][] => [
    ["text", plane, text],
    ["text-2", plane, text],
    ["text-3", plane, text],
    ["accent-text", plane, text],
    ["danger-text", plane, text],
    ["accent", plane, graphic],
    ["control", plane, graphic],
  ]),
  ["edge", "bg", graphic],
  ["on-accent", "accent", text],
  ["on-accent", "accent-hover", text],
  ["on-danger", "danger", text],
  ["accent-text", "accent-soft", text],
  ["danger-text", "danger-soft", text],
  ...statuses.flatMap((status): [string, string, number][] => [
    [status, "surface", graphic],
    [status, "bg", graphic],
    [status, `${status}-soft`, graphic],
    [`${status}-text`, `${status}-soft`, text],
    [`${status}-text`, "surface", text],
  ]),
];

describe.each(themes)("%s theme", (_, tokens) => {
  test.each(pairs)("%s on %s has a contrast of at least %f", (foreground, background, least) => {
    const a = tokens.get(foreground);
    const b = tokens.get(background);
    expect(a, foreground).toBeDefined();
    expect(b, background).toBeDefined();
    expect(contrast(a!, b!)).toBeGreaterThanOrEqual(least);
  });
});
