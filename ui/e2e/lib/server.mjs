// Starts the built server on scratch data, and gives tests what they need to
// talk to it. Every server is ended by the test that started it.
import { spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
export const binary = join(root, "bin", "vwmp");

/** Runs a command of the built binary to its end and gives what it printed. */
export function vwmp(args, options = {}) {
  const done = spawnSync(binary, args, { encoding: "utf8", ...options });
  if (done.status !== 0) throw new Error(`vwmp ${args.join(" ")}: exit ${done.status}\n${done.stdout}${done.stderr}`);
  return done.stdout;
}

export class Server {
  #process;
  #said = "";
  /** Where it listens, such as http://127.0.0.1:41234. */
  url;
  /** The admin token. */
  token;

  constructor(dir, options) {
    this.dir = dir;
    this.data = join(dir, "data");
    this.workspace = options.workspace ?? join(dir, "workspace");
    this.options = options;
  }

  /** Starts it; after a kill or stop, again on the same data and port. */
  async start() {
    const { plugins = [], args = [], env = {} } = this.options;
    const port = this.url ? new URL(this.url).port : "0";
    const command = ["serve", "--addr", `127.0.0.1:${port}`, "--data", this.data, "--workspace", this.workspace];
    for (const folder of plugins) command.push("--plugins", folder);
    this.#said = "";
    const started = spawn(binary, [...command, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    this.#process = started;
    this.url = await new Promise((resolve, reject) => {
      const hear = (chunk) => {
        this.#said += chunk;
        const found = /serves on (http:\/\/[^\s/]+)/.exec(this.#said);
        if (found) resolve(found[1]);
      };
      started.stdout.on("data", hear);
      started.stderr.on("data", hear);
      started.once("error", reject);
      started.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${this.#said}`)));
    });
    this.token = (await readFile(join(this.data, "admin-token"), "utf8").catch(() => "")).trim();
    await this.api("/readyz");
    return this;
  }

  get output() {
    return this.#said;
  }

  async #end(signal) {
    const running = this.#process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill(signal);
    await ended;
  }

  /** Ends it as a power cut would. */
  kill() {
    return this.#end("SIGKILL");
  }

  stop() {
    return this.#end("SIGTERM");
  }

  async remove() {
    await this.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Sends a request as the admin; a body that is no text goes as JSON. Throws on a refusal. */
  async api(path, { method = "GET", body, headers = {} } = {}) {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const answer = await fetch(new URL(path.startsWith("/") ? path : `/api/vwmp/${path}`, this.url), {
      method,
      body: text,
      headers: {
        Authorization: `Bearer ${this.token}`,
        ...(body !== undefined && {
          "Content-Type": typeof body === "string" ? "application/yaml" : "application/json",
        }),
        ...headers,
      },
    });
    const content = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${content}`);
    return answer.headers.get("Content-Type")?.includes("json") && content ? JSON.parse(content) : content;
  }

  /** Stores a workflow from YAML text or a value, under this id where one is given. */
  async workflow(document, id) {
    const text = typeof document === "string" ? document : JSON.stringify(document);
    const made = await this.api(`workflows/import/?overwrite=true${id ? `&id=${id}` : ""}`, {
      method: "POST",
      body: text,
      headers: { "Content-Type": typeof document === "string" ? "application/yaml" : "application/json" },
    });
    return made.workflow.id;
  }

  /** Runs a workflow to its end and gives the result. */
  run(id, parameters = {}) {
    return this.api(`workflows/${id}/execute/?async=false`, { method: "POST", body: { parameters } });
  }

  /** Starts a workflow and gives the id of the execution. */
  async launch(id, parameters = {}) {
    return (await this.api(`workflows/${id}/execute/`, { method: "POST", body: { parameters } })).execution_id;
  }

  /** What signs in an account that account() made. */
  credentials(user) {
    return { user, password: `the password of ${user}` };
  }

  /** Makes an account, and gives its name. more: teams. */
  async account(name, role, more = {}) {
    const { password } = this.credentials(name);
    await this.api("users/", { method: "POST", body: { name, role, password, ...more } });
    return name;
  }

  /** A link that signs one browser in. */
  async link() {
    return (await this.api("auth/sign-in-links/", { method: "POST" })).url;
  }
}

/**
 * Starts a server on a folder of its own. options: workspace, plugins (folders),
 * args, env, demo (a scratch git repository with a remote as the workspace).
 */
export async function startServer(options = {}) {
  const dir = await mkdtemp(join(tmpdir(), "vwmp-e2e-"));
  let workspace = options.workspace;
  if (options.demo) {
    vwmp(["demo", join(dir, "demo")]);
    workspace = join(dir, "demo", "repo");
  } else if (!workspace) {
    workspace = join(dir, "workspace");
    await mkdir(workspace);
  }
  const server = new Server(dir, { ...options, workspace });
  try {
    return await server.start();
  } catch (error) {
    await server.remove();
    throw error;
  }
}
