// What a text of a program shows. Colours that a program wrote for a terminal become
// classes; every other control character is made visible and drives nothing.

/** A part of a line in one look. */
export interface Segment {
  text: string;
  /** Names of looks: "red", "bright-blue", "bg-green", "bold", "dim", "italic", "underline", "control". */
  looks: readonly string[];
}

const colours = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

// A control sequence: parameters, then one letter. Its C1 form begins with U+009B.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
const sequence = /(?:\u001b\[|\u009b)([0-9:;<=>?]*)[ -/]*([@-~])/g;
// Control characters but tab and line feed, and those that turn the direction of text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const odd = new RegExp(controls.source);

/** Whether a line is plain text, which is what most are. */
export function isPlain(line: string): boolean {
  return !odd.test(line);
}

/** A line without its colours, as it is searched. */
export function plainText(line: string): string {
  if (isPlain(line)) return line;
  return parseAnsi(line)
    .map(({ text }) => text)
    .join("");
}

// What a terminal would have taken for itself: a control sequence, a string such
// as a window's title with its end, or an escape with the letters that belong to it.
const forTerminal =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
  /(?:\u001b\[|\u009b)[0-9:;<=>?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]+[0-~]/g;

/** A text as one line of plain words, for a note or a title: without colours, and without anything that drives. */
export function bareText(text: string): string {
  if (isPlain(text) && !text.includes("\n")) return text;
  return text
    .replaceAll(forTerminal, "")
    .replaceAll(/[\r\n\t]+/g, " ")
    .replaceAll(controls, "");
}

/** A text as it is, but that its control characters are seen and drive nothing. */
export function visibleText(text: string): string {
  return isPlain(text) ? text : text.replaceAll(controls, visible);
}

/** Takes a line apart into segments, each of one look. */
export function parseAnsi(line: string): Segment[] {
  if (isPlain(line)) return [{ text: line, looks: [] }];
  const segments: Segment[] = [];
  let look = noLook;
  let at = 0;
  for (const found of line.matchAll(sequence)) {
    addText(segments, line.slice(at, found.index), namesOf(look));
    at = found.index + found[0].length;
    if (found[2] === "m") look = changed(look, found[1]!);
    else segments.push({ text: visible(found[0][0]!) + found[0].slice(1), looks: [...namesOf(look), "control"] });
  }
  addText(segments, line.slice(at), namesOf(look));
  return segments;
}

function addText(segments: Segment[], text: string, looks: readonly string[]): void {
  let at = 0;
  for (const found of text.matchAll(controls)) {
    if (found.index > at) segments.push({ text: text.slice(at, found.index), looks });
    segments.push({ text: visible(found[0]), looks: [...looks, "control"] });
    at = found.index + 1;
  }
  if (at < text.length) segments.push({ text: text.slice(at), looks });
}

/** A picture of a control character: "␛" for escape, "‹U+202E›" for one without a picture. */
function visible(control: string): string {
  const code = control.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}

interface Look {
  text?: string;
  ground?: string;
  marks: readonly string[];
}

const noLook: Look = { marks: [] };

function namesOf({ text, ground, marks }: Look): readonly string[] {
  return [...(text ? [text] : []), ...(ground ? [`bg-${ground}`] : []), ...marks];
}

const marks: Record<number, string> = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 9: "strike" };
const endsMarks: Record<number, readonly string[]> = {
  22: ["bold", "dim"],
  23: ["italic"],
  24: ["underline"],
  29: ["strike"],
};

/** The look after the parameters of one "m" sequence. */
function changed(look: Look, parameters: string): Look {
  const codes = parameters.split(/[;:]/).map((code) => Number(code || 0));
  let now = look;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(i + 1));
      now = code === 38 ? { ...now, text: colour } : { ...now, ground: colour };
      i += used;
    } else now = after(now, code);
  }
  return now;
}

function after(look: Look, code: number): Look {
  if (code === 0) return noLook;
  const mark = marks[code];
  if (mark) return { ...look, marks: [...look.marks.filter((each) => each !== mark), mark] };
  const ended = endsMarks[code];
  if (ended) return { ...look, marks: look.marks.filter((each) => !ended.includes(each)) };
  if (code >= 30 && code <= 37) return { ...look, text: colours[code - 30] };
  if (code >= 40 && code <= 47) return { ...look, ground: colours[code - 40] };
  if (code >= 90 && code <= 97) return { ...look, text: `bright-${colours[code - 90]}` };
  if (code >= 100 && code <= 107) return { ...look, ground: `bright-${colours[code - 100]}` };
  if (code === 39) return { ...look, text: undefined };
  if (code === 49) return { ...look, ground: undefined };
  return look;
}

/** A colour of 256 or of millions as the nearest of those that have a token, and how many codes it took. */
function extended(codes: readonly number[]): [string | undefined, number] {
  if (codes[0] === 5) return [indexed(codes[1] ?? 0), 2];
  if (codes[0] === 2) return [nearest(codes[1] ?? 0, codes[2] ?? 0, codes[3] ?? 0), 4];
  return [undefined, codes.length];
}

function indexed(n: number): string | undefined {
  if (n < 8) return colours[n];
  if (n < 16) return `bright-${colours[n - 8]}`;
  if (n < 232) {
    const cube = n - 16;
    const part = (digit: number) => (digit === 0 ? 0 : 55 + 40 * digit);
    return nearest(part(Math.floor(cube / 36)), part(Math.floor(cube / 6) % 6), part(cube % 6));
  }
  const grey = 8 + 10 * (n - 232);
  return nearest(grey, grey, grey);
}

/** By hue: a colour that hardly has one is text or dimmed text. */
function nearest(red: number, green: number, blue: number): string | undefined {
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  if (most - least < 48) return most < 128 ? "bright-black" : undefined;
  const on = (part: number) => (part - least) * 2 > most - least;
  return colours[(on(red) ? 1 : 0) + (on(green) ? 2 : 0) + (on(blue) ? 4 : 0)];
}
