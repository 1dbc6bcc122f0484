// What a handler is given beside its config.
import { type ChildProcess, type ChildProcessByStdio, spawn, type SpawnOptions } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, readFile, realpath, rename, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import type { Duplex, Readable } from "node:stream";

import { Cancelled, Invalid, Permanent } from "./outcome.js";
import type { Json, Schema } from "./schema.js";

const maxCheckpoint = 64 << 10;
const commandGrace = 3000;
const reserved = /^(CON|PRN|AUX|NUL|COM[1-9]|LPT[1-9])\s*([.:].*)?$/i;

export type Level = "debug" | "info" | "warning" | "error";
type Fields = Record<string, unknown>;

/** Takes what an attempt says before it ends. */
export interface Reporter {
  log(level: Level, message: string, fields: Fields): void;
  progress(percentage: number, message: string): void;
  heartbeat(): void;
  checkpoint(data: string): void;
  effect(action: string, target: string, externalId: string, done: boolean): void;
  artifact(path: string, size: number, sha256: string, mediaType: string): void;
}

/** Everything that one attempt is given; JSON values are text. */
export interface Request {
  handler: string;
  executionId: string;
  workflowId: string;
  workflowName: string;
  workflowVersion: string;
  stepId: string;
  stepName: string;
  itemIndex: number | undefined;
  attempt: number;
  idempotencyKey: string;
  config: string;
  parameters: string;
  workflowConfig: string;
  outputs: { stepId: string; output: string }[];
  workspaceDir: string;
  checkpoint: string;
  effects: { action: string; target: string; externalId: string; done: boolean }[];
  secrets: Record<string, string>;
  /** W3C trace context; empty where the host follows nothing. */
  traceParent: string;
  traceState: string;
}

/** Refuses a path that leaves its folder, or that some system can't hold. */
export function checkPath(name: string): void {
  const refuse = (reason: string): never => {
    throw new Invalid("", `the path ${JSON.stringify(name.slice(0, 200))} can't be used: ${reason}`);
  };
  if (name === "") refuse("it is empty");
  if (/[\0\\]/.test(name)) refuse("it has a NUL or a backslash; separate folders with /");
  if (name.startsWith("/") || name[1] === ":") refuse("it is absolute; paths are relative to the workspace");
  if (name.endsWith("/")) refuse("it ends in a slash");
  for (const part of name.split("/")) {
    if (part === "..") refuse("it leaves the workspace");
    if (part !== "." && /[. ]$/.test(part)) refuse("a name in it ends in a dot or a space");
    if (reserved.test(part)) refuse(`${part} is a reserved name on Windows`);
  }
}

function namesGit(path: string, separator: string): boolean {
  return path.split(separator).some((part) => part.toLowerCase() === ".git");
}

/** The only folder that a handler touches. Paths have slashes and can't leave it, by a link neither. */
export class Workspace {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The folder itself, for programs that are run in it. */
  get path(): string {
    if (this.#root === "") throw new Permanent("this run has no workspace");
    return this.#root;
  }

  /** The real path of a file inside the workspace, which need not be there. */
  async resolve(name: string): Promise<string> {
    checkPath(name);
    const root = await realpath(this.path);
    let known = join(root, name);
    const missing: string[] = [];
    for (;;) {
      try {
        const real = await realpath(known);
        if (real !== root && !real.startsWith(root + sep)) throw new Invalid("", `the path ${JSON.stringify(name.slice(0, 200))} leaves the workspace by a link`);
        const full = join(real, ...missing);
        if (namesGit(full.slice(root.length), sep) && !namesGit(name, "/")) throw new Invalid("", `the path ${JSON.stringify(name.slice(0, 200))} can't be used: a symbolic link in it leads into .git`);
        return full;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        // A link to nowhere would lead whoever writes out of the folder.
        if (await lstat(known).then((info) => info.isSymbolicLink(), () => false)) throw new Invalid("", `${name} is a link to nowhere`);
        missing.unshift(basename(known));
        known = dirname(known);
      }
    }
  }

  async exists(name: string): Promise<boolean> {
    return stat(await this.resolve(name)).then(() => true, () => false);
  }

  async read(name: string): Promise<Buffer> {
    return readFile(await this.resolve(name));
  }

  async readText(name: string): Promise<string> {
    return (await this.read(name)).toString("utf8");
  }

  /** Replaces a file in one step; folders are made as needed. */
  async write(name: string, data: string | Uint8Array): Promise<void> {
    const target = await this.resolve(name);
    await mkdir(dirname(target), { recursive: true });
    const mode = await stat(target).then((info) => info.mode & 0o777, () => 0o644);
    const temporary = join(dirname(target), `.${basename(target).slice(0, 100)}.${randomBytes(6).toString("hex")}.tmp`);
    try {
      const file = await open(temporary, "wx", mode);
      try {
        await file.writeFile(data);
        await file.sync();
      } finally {
        await file.close();
      }
      await chmod(temporary, mode);
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** The files that match; a part ** stands for any number of folders, * and ? for characters. .git is left out. */
  async glob(pattern: string): Promise<string[]> {
    checkPath(pattern);
    const parts = pattern.split("/").map((part, i, all) => {
      const last = i === all.length - 1;
      if (part === "**") return last ? ".*" : "(?:.*/)?";
      const shape = part.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*").replaceAll("?", "[^/]");
      return shape + (last ? "" : "/");
    });
    const shape = new RegExp(`^${parts.join("")}$`, "s");
    const entries = await readdir(this.path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(this.path, join(entry.parentPath, entry.name)).split(sep).join("/"))
      .filter((name) => !name.split("/").includes(".git") && shape.test(name))
      .sort();
  }

  /** Deletes a file or an empty folder. */
  async remove(name: string): Promise<void> {
    const target = await this.resolve(name);
    await ((await lstat(target)).isDirectory() ? rmdir(target) : rm(target));
  }
}

/** The run that a handler is part of, its workspace, and the ways to say something before it ends. */
export class Step {
  readonly workspace: Workspace;
  /** Aborts when the step must end. Pass it on, to fetch for example. A handler that goes on for 5 s is ended with its whole process. */
  readonly signal: AbortSignal;
  /** The step's log, live. */
  readonly log: Record<Level, (message: string, fields?: Fields) => void>;
  readonly #abort = new AbortController();
  undoToken = "";

  constructor(
    readonly request: Request,
    private readonly reporter: Reporter,
    private readonly adapterText = "",
  ) {
    this.workspace = new Workspace(request.workspaceDir);
    this.signal = this.#abort.signal;
    const line = (level: Level) => (message: string, fields: Fields = {}) => reporter.log(level, message, fields);
    this.log = { debug: line("debug"), info: line("info"), warning: line("warning"), error: line("error") };
  }

  /** Counts the tries of this step, from 1. */
  get attempt(): number {
    return this.request.attempt;
  }

  /** The same for every attempt at this step of this execution. */
  get idempotencyKey(): string {
    return this.request.idempotencyKey;
  }

  /** The W3C traceparent that the call is part of; empty where the host follows nothing. */
  get traceParent(): string {
    return this.request.traceParent;
  }

  /** The W3C tracestate beside it. */
  get traceState(): string {
    return this.request.traceState;
  }

  /** Throws Cancelled when the step must end; call it in loops. */
  check(): void {
    this.signal.throwIfAborted();
  }

  /** Waits; rejects with Cancelled when the step must end. */
  sleep(seconds: number): Promise<void> {
    this.check();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.signal.removeEventListener("abort", stop);
        resolve();
      }, seconds * 1000);
      const stop = () => {
        clearTimeout(timer);
        reject(this.signal.reason);
      };
      this.signal.addEventListener("abort", stop, { once: true });
    });
  }

  /** The execution's parameter of that name. */
  parameter(name: string): Json | undefined {
    return objectOf(this.request.parameters)[name] ?? undefined;
  }

  /** The output of an upstream step. */
  output(stepId: string): Json | undefined {
    const found = this.request.outputs.find((one) => one.stepId === stepId && one.output !== "");
    return found && (JSON.parse(found.output) as Json);
  }

  /** The value under key in the output of the nearest upstream step that has one. */
  nearestOutput(key: string): Json | undefined {
    for (const one of this.request.outputs) {
      const value = objectOf(one.output)[key];
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  }

  /** The plugin's own configuration, by the schema that declares it. */
  adapter<T>(schema: Schema<T>): T {
    return schema.read(JSON.parse(this.adapterText || "{}"), "");
  }

  /** The last checkpoint of an earlier attempt. */
  checkpointed(): Json | undefined {
    return this.request.checkpoint === "" ? undefined : (JSON.parse(this.request.checkpoint) as Json);
  }

  /** Tells how far the step is, from 0 to 100. */
  progress(percentage: number, message = ""): void {
    this.reporter.progress(Math.min(Math.max(percentage, 0), 100), message);
  }

  /** Tells that the step is alive where it has nothing else to say. */
  heartbeat(): void {
    this.reporter.heartbeat();
  }

  /** Hands over a value that the next attempt gets, should this one be lost. */
  checkpoint(value: Json): void {
    const data = JSON.stringify(value);
    if (Buffer.byteLength(data) > maxCheckpoint) throw new Permanent(`the checkpoint is over ${maxCheckpoint} bytes`);
    this.reporter.checkpoint(data);
  }

  /** Notes a change in the outside world: before it is made, and with done after it. */
  effect(action: string, target: string, more: { externalId?: string; done?: boolean } = {}): void {
    this.reporter.effect(action, target, more.externalId ?? "", more.done ?? false);
  }

  /** Names a file of the workspace as a product of the step. */
  async artifact(path: string, mediaType = ""): Promise<void> {
    const data = await this.workspace.read(path);
    this.reporter.artifact(path, data.length, createHash("sha256").update(data).digest("hex"), mediaType);
  }

  /** Keeps what undo needs to take this attempt back. */
  setUndo(token: Json): void {
    this.undoToken = JSON.stringify(token);
  }

  /** Runs a program in the workspace. It and what it starts end with the step; what it leaves running ends with it. */
  async run(program: string, args: string[], options: { env?: NodeJS.ProcessEnv } = {}): Promise<{ code: number | null; stdout: string; stderr: string }> {
    this.check();
    const child = guarded(program, args, { cwd: this.workspace.path, ...options });
    let grace: NodeJS.Timeout | undefined;
    const stop = () => {
      endGroup(child, "SIGTERM");
      grace = setTimeout(() => endGroup(child, "SIGKILL"), commandGrace);
    };
    child.on("exit", () => {
      this.signal.removeEventListener("abort", stop);
      clearTimeout(grace);
      endGroup(child, "SIGKILL");
      // What left the group may hold the pipes open.
      grace = setTimeout(() => [child.stdout, child.stderr].forEach((pipe) => pipe.destroy()), commandGrace);
    });
    this.signal.addEventListener("abort", stop, { once: true });
    const text = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (piece: string) => (text.stdout += piece));
    child.stderr.setEncoding("utf8").on("data", (piece: string) => (text.stderr += piece));
    try {
      const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
      this.check();
      return { code, ...text };
    } finally {
      clearTimeout(grace);
      this.signal.removeEventListener("abort", stop);
    }
  }

  /** Ends the step; the server calls it. */
  cancel(timeout: boolean): void {
    if (!this.signal.aborted) this.#abort.abort(new Cancelled(timeout));
  }
}

function objectOf(text: string): Record<string, Json> {
  const value = text === "" ? {} : (JSON.parse(text) as Json);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

/** A detached program leads a process group, except on Windows; where there is no shell, nothing can watch over it. */
const hasGroups = process.platform !== "win32";
const shell = "/bin/sh";
const canGuard = hasGroups && existsSync(shell);

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (!hasGroups) child.kill(signal);
    else if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // Nothing is left of it.
  }
}

/** Becomes the program at a word from this process, and ends without one; says so where there is no such program. */
const gate = 'read -r _ <&3 || exit; command -v "$1" >/dev/null 2>&1 || { echo >&3; exit 127; }; exec "$@" 3<&-';

/** Kills a group when this process is gone. */
const guard = 'read -r _; kill -s KILL -- "-$1"';

/**
 * Starts a program whose group ends with this process, should it be killed: a detached program is in a session of its own,
 * where the host doesn't look. The program starts only when something watches over it.
 */
function guarded(program: string, args: string[], options: SpawnOptions): ChildProcessByStdio<null, Readable, Readable> {
  const start = (command: string, words: string[], ...more: "pipe"[]) =>
    spawn(command, words, { ...options, stdio: ["ignore", "pipe", "pipe", ...more], detached: hasGroups }) as ChildProcessByStdio<null, Readable, Readable>;
  if (!canGuard) return start(program, args);
  const child = start(shell, ["-c", gate, "sh", program, ...args], "pipe");
  const word = child.stdio[3] as Duplex | null | undefined;
  if (child.pid === undefined || !word) return child;
  const watch = spawn(shell, ["-c", guard, "sh", String(child.pid)], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  // A guard that can't be started leaves the program unwatched; the step's end still ends it.
  for (const one of [watch, watch.stdin, word]) one?.on("error", () => {});
  word.once("data", () => child.emit("error", Object.assign(new Error(`spawn ${program} ENOENT`), { code: "ENOENT", syscall: `spawn ${program}`, path: program })));
  word.write("\n");
  child.once("close", () => watch.kill("SIGKILL"));
  return child;
}
