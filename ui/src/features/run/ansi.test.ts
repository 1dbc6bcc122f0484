import { describe, expect, test } from "vitest";
import { bareText, parseAnsi, plainText, visibleText } from "./ansi";

const looks = (line: string) => parseAnsi(line).map(({ text, looks: names }) => [text, names.join(" ")]);

describe("point 24: colours of a terminal", () => {
  test.each([
    [
      "\u001b[31mred\u001b[0m plain",
      [
        ["red", "red"],
        [" plain", ""],
      ],
    ],
    [
      "\u001b[1;92mok\u001b[22;39m.",
      [
        ["ok", "bright-green bold"],
        [".", ""],
      ],
    ],
    [
      "\u001b[41;37mx\u001b[49my\u001b[my",
      [
        ["x", "white bg-red"],
        ["y", "white"],
        ["y", ""],
      ],
    ],
    [
      "\u001b[38;5;196mred\u001b[38;5;4mblue",
      [
        ["red", "red"],
        ["blue", "blue"],
      ],
    ],
    [
      "\u001b[38;2;10;200;30mgreen\u001b[38;2;90;90;95mgrey",
      [
        ["green", "green"],
        ["grey", "bright-black"],
      ],
    ],
    ["\u009b33myellow", [["yellow", "yellow"]]],
    [
      "\u001b[3;4;9mall\u001b[23mless",
      [
        ["all", "italic underline strike"],
        ["less", "underline strike"],
      ],
    ],
  ])("%j", (line, expected) => expect(looks(line)).toEqual(expected));
});

describe("point 24: control characters drive nothing", () => {
  test.each([
    [
      "a\u001b[2Kb",
      [
        ["a", ""],
        ["␛[2K", "control"],
        ["b", ""],
      ],
    ],
    [
      "a\rb\u0007",
      [
        ["a", ""],
        ["␍", "control"],
        ["b", ""],
        ["␇", "control"],
      ],
    ],
    [
      "\u001b]0;title\u0007",
      [
        ["␛", "control"],
        ["]0;title", ""],
        ["␇", "control"],
      ],
    ],
    [
      "user\u202etxt.exe",
      [
        ["user", ""],
        ["‹U+202E›", "control"],
        ["txt.exe", ""],
      ],
    ],
    [
      "\u0000\u007f\u0085",
      [
        ["␀", "control"],
        ["␡", "control"],
        ["‹U+0085›", "control"],
      ],
    ],
    [
      "\u001b[31",
      [
        ["␛", "control"],
        ["[31", ""],
      ],
    ],
  ])("%j", (line, expected) => expect(looks(line)).toEqual(expected));

  test("tabs, line ends and letters of any script stay", () => {
    expect(looks("a\tb\nc ü 漢字 😀")).toEqual([["a\tb\nc ü 漢字 😀", ""]]);
  });
});

test("point 23: a line is searched without its colours", () => {
  expect(plainText("\u001b[31mer\u001b[1mror\u001b[0m")).toBe("error");
});

test("point 24: a value shows its control characters", () => {
  expect(visibleText("\u001b[31mred\u202etxt\n\t.")).toBe("␛[31mred‹U+202E›txt\n\t.");
});

describe("point 24: a note is plain words", () => {
  test.each([
    ["\u001b[31mNo way\u001b[0m through", "No way through"],
    ["\u009b1;33mmind", "mind"],
    ["a\u001b[2Kb\u001b[?25lc", "abc"],
    ["\u001b]0;a title\u0007left", "left"],
    ["\u001b]8;;http://x.example\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u001b(Bsets", "sets"],
    ["user\u202etxt.exe", "usertxt.exe"],
    ["\u2066a\u2069\u200fb\u061cc", "abc"],
    ["bell\u0007 \u0000\u007f\u0085end", "bell end"],
    ["one\r\n\ttwo", "one two"],
    ["[31m is what it is", "[31m is what it is"],
    ["an escape that ends \u001b[31", "an escape that ends [31"],
    ["ü 漢字 😀", "ü 漢字 😀"],
  ])("%j", (text, bare) => expect(bareText(text)).toBe(bare));
});
