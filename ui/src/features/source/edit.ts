// Changes a YAML text so that it says another value, and leaves everything
// else as its author wrote it: comments, order, quotes, blank lines. Each
// value that differs is replaced at its place; members and items come and go
// as whole lines, with the comments right above them. The server does the
// same for those who send JSON; see engine/workflow/textedit.
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  Scalar,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { isObject, matchItems, sameJson } from "../../lib/json";

/** A text whose form forbids the edit: it has to be written anew. */
export class FormError extends Error {
  override readonly name = "FormError";
}

export interface Splice {
  from: number;
  to: number;
  insert: string;
}

/** Where a value stands: behind a key or a dash, or between brackets. */
interface Place {
  value: Node | null;
  /** Where the key or the dash ends, its colon included. */
  after: number;
  /** The column of the key or the dash. */
  column: number;
  flow: boolean;
}

interface Entry {
  /** Of the key or the dash. */
  start: number;
  /** Behind the last sign of the value, before a comment. */
  end: number;
  place: Place;
}

/** An entry of the changed collection: one that was there, or a new one. */
type Piece = { kept: number; want: unknown } | { kept: -1; key?: string; want: unknown };

/** Makes a text's value the wanted one. The text has line feeds only. */
export function editYaml(text: string, document: Document, root: Node, want: unknown): Splice[] {
  const editor = new Editor(text, document);
  const column = isMap(root) && !root.flow ? editor.column(root.range![0]) : 0;
  editor.change({ value: root, after: root.range![0], column, flow: isFlow(root) }, want);
  return editor.out;
}

/** The text after the splices, which must not overlap. */
export function applySplices(text: string, splices: readonly Splice[], from = 0, to = text.length): string {
  let out = "";
  let at = from;
  for (const splice of splices.toSorted((a, b) => a.from - b.from)) {
    if (splice.from < at || splice.to > to) throw new FormError("edits overlap");
    out += text.slice(at, splice.from) + splice.insert;
    at = splice.to;
  }
  return out + text.slice(at, to);
}

function isFlow(node: Node | null): boolean {
  return (isMap(node) || isSeq(node)) && node.flow === true;
}

function isBlockScalar(node: Node | null): boolean {
  return isScalar(node) && (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED);
}

class Editor {
  out: Splice[] = [];
  readonly #text: string;
  readonly #document: Document;
  /** Whether lists below a key are indented, as the author does it. */
  readonly #indentSeq: boolean;

  constructor(text: string, document: Document) {
    this.#text = text;
    this.#document = document;
    this.#indentSeq = !/^( *)[\w"'-]+:[ \t]*(#.*)?\n\1- /m.test(text);
  }

  column(at: number): number {
    return at - this.#lineStart(at);
  }

  #lineStart(at: number): number {
    return this.#text.lastIndexOf("\n", at - 1) + 1;
  }

  #lineEnd(at: number): number {
    const end = this.#text.indexOf("\n", at);
    return end < 0 ? this.#text.length : end;
  }

  change(place: Place, want: unknown): void {
    const node = place.value;
    if (node && sameJson(node.toJS(this.#document), want)) return;
    if (isAlias(node) || (node && "anchor" in node && node.anchor)) throw new FormError("the value has an anchor");
    if (isMap(node) && isObject(want) && node.items.length > 0 && Object.keys(want).length > 0) {
      this.#changeMap(node, want);
    } else if (isSeq(node) && Array.isArray(want) && node.items.length > 0 && want.length > 0) {
      this.#changeSeq(node, want);
    } else if (place.flow || (!this.#needsLines(want) && this.#standsInLine(node))) {
      this.#replaceInLine(place, want);
    } else {
      this.#replaceLines(place, want);
    }
  }

  #changeMap(node: YAMLMap, want: { [key: string]: unknown }): void {
    const entries = this.#entriesOfMap(node);
    const keys = node.items.map((pair) => String(isScalar(pair.key) ? pair.key.value : ""));
    const pieces: Piece[] = [];
    for (const [kept, key] of keys.entries()) {
      if (want[key] !== undefined) pieces.push({ kept, want: want[key] });
    }
    const placed = pieces.map((piece) => keys[piece.kept]!);
    let previous = -1;
    for (const [key, value] of Object.entries(want)) {
      if (value === undefined) continue;
      const at = placed.indexOf(key);
      if (at >= 0) {
        previous = at;
        continue;
      }
      // A new key stands behind the one it has before it in the wanted value.
      const index = previous < 0 ? placed.length : previous + 1;
      placed.splice(index, 0, key);
      pieces.splice(index, 0, { kept: -1, key, want: value });
      previous = index;
    }
    this.#assemble(node, entries, pieces);
  }

  #changeSeq(node: YAMLSeq, want: unknown[]): void {
    const entries = this.#entriesOfSeq(node);
    const pairs = matchItems(node.items.map((item) => (item as Node).toJS(this.#document)) as unknown[], want);
    this.#assemble(
      node,
      entries,
      want.map((value, i) => ({ kept: pairs[i]!, want: value })),
    );
  }

  #entriesOfMap(node: YAMLMap): Entry[] {
    return node.items.map((pair) => {
      const key = pair.key as Node;
      const value = pair.value as Node | null;
      if (!isScalar(key) || typeof key.value !== "string") throw new FormError("a key is no text");
      const start = key.range![0];
      const colon = this.#text.indexOf(":", key.range![1]);
      const after = value || colon >= 0 ? colon + 1 : key.range![1];
      if (this.#text.slice(key.range![1], colon).trim() !== "") throw new FormError("a key has an unusual form");
      return {
        start,
        end: Math.max(this.#contentEnd(value), after),
        place: { value, after, column: this.column(start), flow: node.flow === true },
      };
    });
  }

  #entriesOfSeq(node: YAMLSeq): Entry[] {
    const column = this.column(node.range![0]);
    return node.items.map((item) => {
      const value = item as Node;
      let start = value.range![0];
      if (!node.flow) {
        start = this.#lineStart(start) + column;
        if (this.#text[start] !== "-") throw new FormError("an item has an unusual form");
      }
      const after = node.flow ? start : start + 1;
      return {
        start,
        end: Math.max(this.#contentEnd(value), after),
        place: { value, after, column, flow: node.flow === true },
      };
    });
  }

  /** Where a value's last sign ends. */
  #contentEnd(node: Node | null): number {
    if (!node) return 0;
    if (isBlockScalar(node)) {
      const text = this.#text.slice(node.range![0], node.range![1]);
      return node.range![0] + text.trimEnd().length;
    }
    if ((isMap(node) || isSeq(node)) && !node.flow && node.items.length > 0) {
      const last = node.items.at(-1)!;
      if (isSeq(node)) return Math.max(this.#contentEnd(last as Node), (last as Node).range![0]);
      const { key, value } = last as { key: Node; value: Node | null };
      return Math.max(this.#contentEnd(value), key.range![1] + 1);
    }
    return node.range![1];
  }

  #assemble(node: YAMLMap | YAMLSeq, entries: Entry[], pieces: Piece[]): void {
    const inPlace = pieces.length === entries.length && pieces.every((piece, i) => piece.kept === i);
    if (inPlace) {
      for (const piece of pieces) this.change(entries[piece.kept]!.place, piece.want);
    } else if (node.flow) {
      this.#assembleFlow(node, entries, pieces);
    } else {
      this.#assembleBlock(node, entries, pieces);
    }
  }

  /** The text between two places, with the changes that a piece needs. */
  #changed(piece: Piece, entries: Entry[], from: number, to: number): string {
    const outer = this.out;
    this.out = [];
    this.change(entries[piece.kept]!.place, piece.want);
    const text = applySplices(this.#text, this.out, from, to);
    this.out = outer;
    return text;
  }

  #assembleFlow(node: YAMLMap | YAMLSeq, entries: Entry[], pieces: Piece[]): void {
    const between = (from: number, to: number, used: boolean) => {
      const text = this.#text.slice(from, to);
      if (!used && text.includes("#")) throw new FormError("a comment between brackets would be lost");
      return used ? text : ", ";
    };
    let out = "";
    const next = new Set<number>();
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) {
        const before = pieces[i - 1]!.kept;
        const adjoins = before >= 0 && piece.kept === before + 1;
        out += adjoins ? between(entries[before]!.end, entries[piece.kept]!.start, true) : ", ";
        if (adjoins) next.add(before);
      }
      out +=
        piece.kept < 0
          ? freshInLine(piece, isMap(node))
          : this.#changed(piece, entries, entries[piece.kept]!.start, entries[piece.kept]!.end);
    }
    for (let i = 0; i + 1 < entries.length; i++) {
      if (!next.has(i)) between(entries[i]!.end, entries[i + 1]!.start, false);
    }
    this.out.push({ from: entries[0]!.start, to: entries.at(-1)!.end, insert: out });
  }

  #assembleBlock(node: YAMLMap | YAMLSeq, entries: Entry[], pieces: Piece[]): void {
    const column = entries[0]!.place.column;
    const start = this.#lead(entries, 0);
    const behindDash = start !== this.#lineStart(start);
    const stop = this.#lineEnd(entries.at(-1)!.end);
    const spacing = this.#spacing(entries);
    const kept = new Set(pieces.map((piece) => piece.kept));
    const chunks: { text: string; gap: string }[] = [];
    // Comments that stand for themselves stay when the entry above them goes.
    const left = this.#leftover(entries, 0, kept);
    if (left) chunks.push({ text: left.replace(/^\n+|\n+$/g, ""), gap: "\n" });
    for (const piece of pieces) {
      if (piece.kept < 0) {
        chunks.push({ text: indented(freshLines(piece, isMap(node), this.#indentSeq), column), gap: spacing });
        continue;
      }
      const from = this.#lead(entries, piece.kept);
      let text = this.#changed(piece, entries, from, this.#lineEnd(entries[piece.kept]!.end));
      if (behindDash && piece.kept === 0) text = " ".repeat(column) + text;
      const last = piece.kept === entries.length - 1;
      const gap = last ? spacing : this.#gap(entries, piece.kept) + this.#leftover(entries, piece.kept + 1, kept);
      chunks.push({ text, gap });
    }
    let out = "";
    for (const [i, { text, gap }] of chunks.entries()) {
      out += text;
      if (i + 1 < chunks.length) out += `\n${gap}`;
      else if (gap.includes("#")) out += `\n${gap.replace(/\n+$/, "")}`;
    }
    if (behindDash) {
      if (!/^ +[^\s#]/.test(out) || out.search(/[^ ]/) !== column)
        throw new FormError("nothing could stand behind the dash");
      out = out.slice(column);
    }
    this.out.push({ from: start, to: stop, insert: out });
  }

  /** Where an entry's lines begin, with the comments right above it. The first one's may begin behind a dash. */
  #lead(entries: Entry[], i: number): number {
    const entry = entries[i]!;
    let start = this.#lineStart(entry.start);
    if (this.#text.slice(start, entry.start).trim() !== "") return entry.start;
    const floor = i > 0 ? this.#lineEnd(entries[i - 1]!.end) + 1 : 0;
    while (start > floor) {
      const above = this.#lineStart(start - 1);
      const line = this.#text.slice(above, start - 1);
      const content = line.trimStart();
      if (above < floor || !content.startsWith("#") || line.length - content.length > entry.place.column) break;
      start = above;
    }
    return start;
  }

  /** The lines between an entry and the next. */
  #gap(entries: Entry[], i: number): string {
    const from = this.#lineEnd(entries[i]!.end) + 1;
    return this.#text.slice(from, Math.max(from, this.#lead(entries, i + 1)));
  }

  /** The comments between entries that go, from i on. */
  #leftover(entries: Entry[], i: number, kept: ReadonlySet<number>): string {
    let left = "";
    for (let at = i; at < entries.length - 1 && !kept.has(at); at++) {
      const gap = this.#gap(entries, at);
      if (gap.includes("#")) left += gap;
    }
    return left;
  }

  /** What the entries have between them, where that is blank lines. */
  #spacing(entries: Entry[]): string {
    const gap = entries.length > 1 ? this.#gap(entries, 0) : "";
    return gap.trim() === "" ? gap : "";
  }

  #needsLines(want: unknown): boolean {
    if (typeof want === "string") return want.includes("\n");
    return typeof want === "object" && want !== null && Object.keys(want).length > 0;
  }

  #standsInLine(node: Node | null): boolean {
    if (!node) return true;
    if (isBlockScalar(node)) return false;
    if (isMap(node) || isSeq(node)) return node.flow === true;
    return true;
  }

  #replaceInLine(place: Place, want: unknown): void {
    const node = place.value;
    const text = inLine(want, isScalar(node) ? node.type : undefined, place.flow);
    if (node && node.range![1] > node.range![0])
      this.out.push({ from: node.range![0], to: node.range![1], insert: text });
    else this.out.push({ from: place.after, to: place.after, insert: ` ${text}` });
  }

  /** Replaces all behind a key or a dash; a comment in its line stays. */
  #replaceLines(place: Place, want: unknown): void {
    const { after, column } = place;
    const end = Math.max(this.#contentEnd(place.value), after);
    const line = this.#text.slice(after, this.#lineEnd(after));
    const ownLine = this.#lineEnd(after) < end;
    const comment = ownLine ? (/\s+#.*$/.exec(line)?.[0] ?? "") : "";
    const [head = "", ...rest] = valueLines(want, this.#indentSeq);
    const lines = rest.length > 0 ? `\n${indented(rest, column)}` : "";
    this.out.push({ from: after, to: end, insert: head.trimEnd() + comment.trimEnd() + lines });
  }
}

function indented(lines: string[], column: number): string {
  const indent = " ".repeat(column);
  return lines.map((line) => (line ? indent + line : line)).join("\n");
}

function blockText(value: unknown, indentSeq: boolean): string[] {
  return stringify(value, { lineWidth: 0, indentSeq, aliasDuplicateObjects: false }).replace(/\n$/, "").split("\n");
}

/** The lines of a value behind its key: the first follows the colon at once. */
function valueLines(value: unknown, indentSeq: boolean): string[] {
  const [first = "", ...rest] = blockText({ k: value }, indentSeq);
  return [first.slice("k:".length), ...rest];
}

function freshLines(piece: Piece, inMap: boolean, indentSeq: boolean): string[] {
  return blockText(inMap ? { [(piece as { key: string }).key]: piece.want } : [piece.want], indentSeq);
}

function flowText(value: unknown): string {
  return stringify(value, {
    lineWidth: 0,
    collectionStyle: "flow",
    flowCollectionPadding: false,
    aliasDuplicateObjects: false,
  }).replace(/\n$/, "");
}

function freshInLine(piece: Piece, inMap: boolean): string {
  const text = flowText(inMap ? { [(piece as { key: string }).key]: piece.want } : [piece.want]);
  return text.slice(1, -1);
}

/** A value in one line, in the quotes that the one before it had. */
function inLine(value: unknown, type: string | undefined | null, flow: boolean): string {
  if (typeof value === "string") {
    if (type === Scalar.QUOTE_DOUBLE) return JSON.stringify(value);
    if (type === Scalar.QUOTE_SINGLE && !/[\p{Cc}]/u.test(value)) return `'${value.replaceAll("'", "''")}'`;
    if (value.includes("\n")) return JSON.stringify(value);
  }
  if (flow || (typeof value === "object" && value !== null)) return flowText([value]).slice(1, -1);
  return valueLines(value, true)[0]!.trim();
}
