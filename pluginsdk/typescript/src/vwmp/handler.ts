// Plugins, handlers and what they say of themselves.
import { Cancelled, Invalid, PluginError, Skip } from "./outcome.js";
import type { Json, Schema } from "./schema.js";
import type { Step } from "./step.js";

export const maxOutput = 8 << 20;

/** One thing that a person must, or with severity "warning" should, put right. */
export interface Problem {
  pointer: string;
  message: string;
  code?: string;
  severity?: "error" | "warning";
  stepId?: string;
}

/** One thing that a handler would do. */
export interface PlannedEffect {
  action: "create" | "update" | "delete" | "run" | "send";
  target: string;
  summary?: string;
  diff?: string;
  /** False where a value is not known before the run. */
  known?: boolean;
}

/** What became of an attempt; output belongs to done. */
export interface Reconciliation<O> {
  status: "not_started" | "running" | "done" | "unknown";
  output?: O;
  detail?: string;
}

export interface WorkflowType {
  name: string;
  version: string;
  description: string;
  displayName?: string;
  icon?: string;
  config?: Schema<unknown>;
  defaultStepTypes?: string[];
  /** Ready workflows; the document is YAML. */
  templates?: { name: string; description: string; document: string }[];
}

export type EffectClass = "pure" | "idempotent" | "keyed" | "reconcilable" | "unsafe";

export interface HandlerOptions<C, O> {
  name: string;
  description: string;
  category: string;
  icon?: string;
  /** Words by which somebody may look for it, which name and description don't hold. */
  tags?: string[];
  /**
   * What may be done when nobody knows whether a step ran: pure, idempotent and
   * keyed ones run again, reconcilable ones are asked, unsafe ones wait for a person.
   */
  effect: EffectClass;
  config: Schema<C>;
  output: Schema<O>;
  /** A config that the handler accepts. */
  example?: Partial<C>;
  /** The time of one attempt, in seconds, where the step sets none. */
  timeout?: number;
  concurrency?: number;
  secrets?: string[];
  network?: string[];
  checkpoint?: boolean;
  /** Runs one attempt; it ends when step.signal aborts. */
  execute(step: Step, config: C): O | Promise<O>;
  /** What execute would do, without doing it. */
  plan?(step: Step, config: C): PlannedEffect[] | Promise<PlannedEffect[]>;
  /** Takes an attempt back, by what it gave to step.setUndo. Idempotent. */
  undo?(step: Step, token: any): void | Promise<void>;
  /** What became of an attempt. It changes nothing. */
  reconcile?(step: Step, config: C): Reconciliation<O> | Promise<Reconciliation<O>>;
  /** What the schema can't say of a config. It has no effects. */
  validate?(config: C): Problem[] | Promise<Problem[]>;
}

export type Outcome =
  | { kind: "success"; output: string; undoToken: string }
  | { kind: "skipped"; reason: string }
  | { kind: "failure"; error: PluginError };

/** A described piece of work. Plugin.handler makes one. */
export class Handler<C = any, O = any> {
  constructor(
    readonly path: string,
    readonly options: HandlerOptions<C, O>,
  ) {}

  /** Reads a config over the defaults; throws Invalid. */
  readConfig(text: string): C {
    let value: unknown;
    try {
      value = JSON.parse(text || "{}");
    } catch (error) {
      throw new Invalid("", `the config can't be read: ${(error as Error).message}`);
    }
    return this.options.config.read(value, "");
  }

  /** Runs one attempt and says how it ended; it never rejects. */
  execute(step: Step): Promise<Outcome> {
    return this.#guarded(step, async () => {
      const value = await this.options.execute(step, this.readConfig(step.request.config));
      const output = JSON.stringify(value ?? {});
      if (Buffer.byteLength(output) > maxOutput) throw new PluginError(`the output is over ${maxOutput} bytes`, { code: "output_too_large", fault: "author" });
      return { kind: "success", output, undoToken: step.undoToken };
    });
  }

  /** Undoes an attempt and says how that ended. */
  takeBack(step: Step, token: string): Promise<Outcome> {
    return this.#guarded(step, async () => {
      await this.options.undo?.(step, JSON.parse(token || "null") as Json);
      return { kind: "success", output: "", undoToken: "" };
    });
  }

  async #guarded(step: Step, call: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof Skip) return { kind: "skipped", reason: error.message || "the handler chose to" };
      if (error instanceof PluginError) return { kind: "failure", error };
      const { name, message, code, stack } = Object(error) as NodeJS.ErrnoException;
      if (step.signal.aborted) return { kind: "failure", error: step.signal.reason as Cancelled };
      // A code is that of the system: what the world did, not a mistake of the author's.
      if (code !== undefined || name === "Error") return { kind: "failure", error: new PluginError(message || String(error)) };
      step.log.error(`the handler threw ${name}: ${message}`, { stack });
      return { kind: "failure", error: new PluginError(`the handler ${this.path} threw ${name}: ${message}`, { code: "HANDLER_PANIC", fault: "author" }) };
    }
  }
}

export interface PluginOptions {
  /** Lower-case letters, digits and underscores; the first part of every handler's path. */
  name: string;
  version: string;
  description: string;
  author?: string;
  /** The schema of the plugin's own configuration. */
  adapter?: Schema<unknown>;
  workflowTypes?: WorkflowType[];
  validateWorkflow?(workflowType: string, document: Json): Problem[] | Promise<Problem[]>;
}

/** All that one plugin offers. */
export class Plugin {
  readonly handlers = new Map<string, Handler>();

  constructor(readonly options: PluginOptions) {
    if (!/^[a-z][a-z0-9_]*$/.test(options.name)) throw new Error(`plugin name "${options.name}": use lower-case letters, digits and underscores`);
  }

  /** Adds a handler; its path is the plugin's name, a dot and the name given. */
  handler<C, O>(name: string, options: HandlerOptions<C, O>): Handler<C, O> {
    const path = `${this.options.name}.${name}`;
    if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`handler "${path}": use lower-case letters, digits and underscores`);
    if (this.handlers.has(path)) throw new Error(`handler ${path} is declared twice`);
    const handler = new Handler(path, options);
    this.handlers.set(path, handler);
    return handler;
  }
}
