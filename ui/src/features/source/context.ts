// Where in a YAML text the cursor is, told by indentation alone: while
// somebody types, the text can seldom be parsed.

export interface Where {
  /** The keys around it, with * for items: "steps.*.config". */
  place: string;
  /** Whether a key is typed, the value of one, or something behind a dash, which may be either. */
  kind: "key" | "value" | "item";
  /** The key whose value is typed. */
  key: string;
  /** What was typed of it. */
  typed: string;
  /** Keys that stand beside it already. */
  siblings: ReadonlySet<string>;
  /** What the step around it says of itself. */
  step: { id?: string; handler?: string } | null;
}

/** A key or an item whose lines are being read. */
interface Open {
  column: number;
  /** Its key; * for an item. */
  name: string;
  /** The keys inside, with their values. */
  inside: Map<string, string>;
  /** It is a text of several lines, which holds no keys. */
  text: boolean;
}

const shape = /^( *)((?:-(?: +|$))*)(?:(["']?)([\w.-]+)\3:(?:\s+(.*))?$|(.*)$)/;
const textHead = /^[|>][+-]?\d?[+-]?\s*(#.*)?$/;

class Reader {
  readonly open: Open[] = [{ column: -1, name: "", inside: new Map(), text: false }];

  get top(): Open {
    return this.open.at(-1)!;
  }

  /** Reads a line, and gives what it holds; undefined for one without anything. */
  read(line: string): { dashes: number[]; column: number; key?: string; value: string } | undefined {
    const found = shape.exec(line);
    if (!found || /^\s*(#|$)/.test(line)) return undefined;
    const [, indent = "", marks = "", , key, value, rest] = found;
    if (this.top.text && indent.length > this.top.column) return undefined;
    const dashes: number[] = [];
    for (let at = 0; at < marks.length; at++) {
      if (marks[at] !== "-") continue;
      this.#item(indent.length + at);
      dashes.push(indent.length + at);
    }
    const column = indent.length + marks.length;
    if (key !== undefined) this.#key(column, key, value ?? "");
    return { dashes, column, key, value: value ?? rest ?? "" };
  }

  /** Leaves what can't hold anything in this column. */
  leave(column: number): void {
    while (this.top.column >= column) this.open.pop();
  }

  #item(column: number): void {
    // A list may stand in the column of its key.
    while (this.top.column > column || (this.top.column === column && this.top.name === "*")) this.open.pop();
    this.open.push({ column, name: "*", inside: new Map(), text: false });
  }

  #key(column: number, name: string, value: string): void {
    this.leave(column);
    this.top.inside.set(name, value);
    this.open.push({ column, name, inside: new Map(), text: textHead.test(value) });
  }
}

function plain(value: string | undefined): string | undefined {
  return value
    ?.replace(/\s+#.*$/, "")
    .replace(/^["']|["']$/g, "")
    .trim();
}

/** The cursor's place in a text; null inside a comment. */
export function whereIs(text: string, at: number): Where | null {
  const reader = new Reader();
  const before = text.slice(0, at).split("\n");
  const current = before.pop() ?? "";
  for (const line of before) reader.read(line);
  if (/(^|\s)#/.test(current)) return null;

  const inText = reader.top.text && /^ */.exec(current)![0].length > reader.top.column;
  const typedKey = /^( *(?:- *)*)(["']?)([\w.-]+)\2:\s+(.*)$/.exec(current);
  let where: Pick<Where, "kind" | "key" | "typed">;
  let container: Open;
  if (inText) {
    where = { kind: "value", key: reader.top.name, typed: current.trim() };
    container = reader.open.at(-2)!;
  } else {
    // A sign stands for the word to come, so that an empty line has a column too.
    const line = reader.read(typedKey ? current : `${current}x`);
    if (line?.key !== undefined) {
      where = { kind: "value", key: line.key, typed: typedKey?.[4] ?? "" };
      container = reader.open.at(-2)!;
    } else {
      reader.leave(line?.column ?? 0);
      container = reader.top;
      where = {
        kind: (line?.dashes.length ?? 0) > 0 ? "item" : "key",
        key: "",
        typed: current.replace(/^ *(- *)*/, ""),
      };
    }
  }
  const around = reader.open.slice(1, reader.open.indexOf(container) + 1);
  const step = around[0]?.name === "steps" && around[1]?.name === "*" ? around[1] : undefined;
  // What stands below belongs to the same map as long as that is open.
  for (const line of text.slice(at).split("\n").slice(1)) {
    if (!reader.open.includes(step ?? container)) break;
    reader.read(line);
  }
  return {
    ...where,
    place: around.map(({ name }) => name).join("."),
    siblings: new Set(container.inside.keys()),
    step: step ? { id: plain(step.inside.get("id")), handler: plain(step.inside.get("handler")) } : null,
  };
}
