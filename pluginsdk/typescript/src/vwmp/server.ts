// Turns a plugin into a process that a host can start; see docs/plugin-protocol.md.
import { mkdtempSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { create, fromBinary, toBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";

import type { Handler, Outcome, Plugin, Problem } from "./handler.js";
import { Invalid, PluginError } from "./outcome.js";
import * as pb from "./plugin_pb.js";
import type { Json, Schema } from "./schema.js";
import { Step, type Level, type Reporter } from "./step.js";

const cookie = { name: "VWMP_PLUGIN", value: "8e2c5a0e-6f0b-4d6b-9f6a-0f7c5d1d3b11" };
const protocol = 1;
const maxMessage = 8 << 20;
const maxText = 64 << 10;

const hosted = process.env[cookie.name] === cookie.value;
if (hosted) {
  // Standard output is the host's until the handshake: what anybody prints
  // goes to standard error, which the host logs.
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
}

/** Is all of a plugin's main: serves until the host is done, and exits. */
export function serve(plugin: Plugin): void {
  const { name, version } = plugin.options;
  if (process.argv.slice(2).join() === "--describe") {
    const handlers = [...plugin.handlers.values()].map((h) => ({ path: h.path, ...h.options, config: h.options.config.json, output: h.options.output.json }));
    process.stdout.write(`${JSON.stringify({ ...plugin.options, handlers }, null, 2)}\n`);
    return;
  }
  if (!hosted) {
    process.stderr.write(`This is the VWMP plugin ${name} ${version} (handlers: ${plugin.handlers.size}). It is started by a VWMP
host, not by hand. Run it with --describe to see what it offers.\n`);
    process.exitCode = 1;
    return;
  }
  watchLifeline();
  new PluginServer(plugin).listen();
}

function watchLifeline(): void {
  const text = process.env.VWMP_LIFELINE_FD;
  if (!text) return;
  const gone = () => {
    try {
      process.kill(-process.pid, "SIGKILL"); // The group that it leads.
    } catch {
      process.exit(1);
    }
  };
  // Nothing is ever written: its end is the host's.
  new Socket({ fd: Number(text), readable: true, writable: false }).on("end", gone).on("error", gone).resume().unref();
}

const text = new TextDecoder();
const bytes = (value: string): Uint8Array => Buffer.from(value);
const json = (value: unknown): Uint8Array => bytes(JSON.stringify(value));
const schemaOf = (schema: Schema<unknown> | undefined): Uint8Array =>
  schema ? json({ $schema: "https://json-schema.org/draft/2020-12/schema", ...schema.json }) : new Uint8Array();

/** Makes text fit for the wire. */
function clean(value: string): string {
  const whole = (value as string & { toWellFormed(): string }).toWellFormed();
  const size = Buffer.byteLength(whole);
  return size <= maxText ? whole : `${Buffer.from(whole).subarray(0, maxText).toString("utf8").replace(/\uFFFD+$/, "")}… (${size - maxText} bytes cut)`;
}

/** An author's openness about outputs: those with other keys match, too. */
function outputSchema(schema: Schema<unknown>): Uint8Array {
  const { additionalProperties: _, ...open } = schema.json;
  return json({ $schema: "https://json-schema.org/draft/2020-12/schema", ...open });
}

type Unary<I extends DescMessage, O extends DescMessage> = (request: MessageShape<I>) => MessageShape<O> | Promise<MessageShape<O>>;

class StatusError extends Error {
  constructor(readonly code: grpc.status, message: string) {
    super(message);
  }
}

const silent: Reporter = { log() {}, progress() {}, heartbeat() {}, checkpoint() {}, effect() {}, artifact() {} };

/** The reporter of one call: what it takes is streamed to the host. */
class Events implements Reporter {
  #ended = false;

  constructor(
    private readonly undoing: boolean,
    private readonly write: (event: unknown) => void,
  ) {}

  send(event: pb.ExecuteEvent["event"]): void {
    if (this.#ended) return;
    if (!this.undoing) return this.write(create(pb.ExecuteEventSchema, { event }));
    switch (event.case) {
      case "log": case "progress": case "heartbeat": case "result": case "failure":
        this.write(create(pb.UndoEventSchema, { event }));
    }
  }

  end(event: pb.ExecuteEvent["event"]): void {
    this.send(event);
    this.#ended = true;
  }

  log(level: Level, message: string, fields: Record<string, unknown>): void {
    let text = "";
    try {
      text = Object.keys(fields).length > 0 ? JSON.stringify(fields) : "";
    } catch (error) {
      text = JSON.stringify({ fields_error: String(error) });
    }
    this.send({ case: "log", value: create(pb.LogSchema, { time: timestampFromMs(Date.now()), level, message: clean(message), fields: bytes(text) }) });
  }

  progress(percentage: number, message: string): void {
    this.send({ case: "progress", value: create(pb.ProgressSchema, { percentage, message: clean(message) }) });
  }

  heartbeat(): void {
    this.send({ case: "heartbeat", value: create(pb.HeartbeatSchema) });
  }

  checkpoint(data: string): void {
    this.send({ case: "checkpoint", value: create(pb.CheckpointSchema, { data: bytes(data) }) });
  }

  effect(action: string, target: string, externalId: string, done: boolean): void {
    this.send({ case: "effect", value: create(pb.EffectSchema, { action: clean(action), target: clean(target), externalId: clean(externalId), done }) });
  }

  artifact(path: string, size: number, sha256: string, mediaType: string): void {
    this.send({ case: "artifact", value: create(pb.ArtifactSchema, { path: clean(path), size: BigInt(size), sha256, mediaType }) });
  }
}

class PluginServer {
  #adapter = "";
  #draining = false;
  readonly #calls = new Map<string, Step>();
  #idle: (() => void)[] = [];
  readonly #server = new grpc.Server({
    "grpc.max_receive_message_length": maxMessage, "grpc.max_send_message_length": maxMessage,
    "grpc.max_concurrent_streams": 2 ** 31 - 1,
  });

  constructor(private readonly plugin: Plugin) {}

  listen(): void {
    const implementation: grpc.UntypedServiceImplementation = {};
    const definition: Record<string, grpc.MethodDefinition<unknown, unknown>> = {};
    const method = (path: string, responseStream: boolean, read: (data: Buffer) => unknown, write: (value: any) => Buffer) => ({
      path, requestStream: false, responseStream, requestDeserialize: read, responseSerialize: write,
      requestSerialize: () => Buffer.alloc(0), responseDeserialize: () => undefined,
    });
    const message = <I extends DescMessage, O extends DescMessage>(name: string, input: I, output: O, stream: boolean) => {
      definition[name] = method(`/vwmp.plugin.v1.Plugin/${name}`, stream, (data) => fromBinary(input, data), (value) => Buffer.from(toBinary(output, value)));
    };
    const unary = <I extends DescMessage, O extends DescMessage>(name: string, input: I, output: O, answer: Unary<I, O>) => {
      message(name, input, output, false);
      implementation[name] = this.#unary((call) => answer(call.request as MessageShape<I>));
    };
    unary("Describe", pb.DescribeRequestSchema, pb.DescribeResponseSchema, () => this.#describe());
    unary("Configure", pb.ConfigureRequestSchema, pb.ConfigureResponseSchema, (r) => this.#configure(r));
    unary("ValidateConfig", pb.ValidateConfigRequestSchema, pb.ValidateConfigResponseSchema, (r) => this.#validateConfig(r));
    unary("ValidateWorkflow", pb.ValidateWorkflowRequestSchema, pb.ValidateWorkflowResponseSchema, (r) => this.#validateWorkflow(r));
    unary("Plan", pb.PlanRequestSchema, pb.PlanResponseSchema, (r) => this.#plan(r));
    unary("Cancel", pb.CancelRequestSchema, pb.CancelResponseSchema, (r) => this.#cancel(r));
    unary("Reconcile", pb.ReconcileRequestSchema, pb.ReconcileResponseSchema, (r) => this.#reconcile(r));
    unary("Drain", pb.DrainRequestSchema, pb.DrainResponseSchema, () => this.#drain());
    message("Execute", pb.ExecuteRequestSchema, pb.ExecuteEventSchema, true);
    implementation.Execute = (call: grpc.ServerWritableStream<pb.ExecuteRequest, unknown>) => this.#stream(call, false, (h, step) => h.execute(step));
    message("Undo", pb.UndoRequestSchema, pb.UndoEventSchema, true);
    implementation.Undo = (call: grpc.ServerWritableStream<pb.UndoRequest, unknown>) =>
      this.#stream(call, true, (h, step) => h.takeBack(step, text.decode(call.request.undoToken)));
    this.#server.addService(definition, implementation);

    const raw = (path: string) => method(path, false, (data) => data, (value) => value as Buffer);
    // Field 1 of the request is the service's name, of the answer the status.
    this.#server.addService({ Check: raw("/grpc.health.v1.Health/Check") }, {
      Check: this.#unary((call) => {
        const request = call.request as Buffer;
        if (request.length > 0 && request.subarray(2).toString() !== "plugin") throw new StatusError(grpc.status.NOT_FOUND, "unknown service");
        return Buffer.from([8, 1]);
      }),
    });
    this.#server.addService({ Shutdown: raw("/plugin.GRPCController/Shutdown") }, {
      Shutdown: this.#unary(() => {
        for (const step of this.#calls.values()) step.cancel(false);
        this.#server.tryShutdown(() => process.exit(0));
        setTimeout(() => process.exit(0), 1000);
        return Buffer.alloc(0);
      }),
    });
    const path = join(process.env.PLUGIN_UNIX_SOCKET_DIR || mkdtempSync(join(tmpdir(), "vwmp-")), `p${process.pid}`);
    this.#server.bindAsync(`unix:${path}`, grpc.ServerCredentials.createInsecure(), (error) => {
      if (error) {
        process.stderr.write(`${error.message}\n`);
        process.exit(1);
      }
      writeSync(1, `1|${protocol}|unix|${path}|grpc\n`);
    });
  }

  #unary(answer: (call: grpc.ServerUnaryCall<unknown, unknown>) => unknown): grpc.handleUnaryCall<unknown, unknown> {
    return async (call, respond) => {
      try {
        respond(null, await answer(call));
      } catch (error) {
        const code = error instanceof StatusError ? error.code : error instanceof Invalid ? grpc.status.INVALID_ARGUMENT : grpc.status.FAILED_PRECONDITION;
        respond({ code, details: clean((error as Error).message || String(error)) });
      }
    };
  }

  #describe(): pb.DescribeResponse {
    const { name, version, author, description, adapter, workflowTypes, validateWorkflow } = this.plugin.options;
    return create(pb.DescribeResponseSchema, {
      name, version, author: author ?? "", description, adapterSchema: schemaOf(adapter),
      handlers: [...this.plugin.handlers.values()].map(({ path, options: o }) => ({
        path, name: o.name, description: o.description, category: o.category, icon: o.icon ?? "",
        configSchema: schemaOf(o.config), outputSchema: outputSchema(o.output), example: o.example === undefined ? new Uint8Array() : json(o.example),
        effectClass: pb.EffectClass[o.effect.toUpperCase() as keyof typeof pb.EffectClass],
        capabilities: { plan: !!o.plan, undo: !!o.undo, cancel: true, checkpoint: o.checkpoint ?? false, reconcile: !!o.reconcile, validate: !!o.validate },
        defaultTimeout: o.timeout ? durationFromMs(o.timeout * 1000) : undefined, concurrency: o.concurrency ?? 0,
        secrets: o.secrets ?? [], network: o.network ?? [], tags: o.tags ?? [],
      })),
      workflowTypes: (workflowTypes ?? []).map((kind) => ({
        name: kind.name, version: kind.version, displayName: kind.displayName ?? "", description: kind.description, icon: kind.icon ?? "",
        configSchema: schemaOf(kind.config), defaultStepTypes: kind.defaultStepTypes ?? [], templates: kind.templates ?? [], hasRules: !!validateWorkflow,
      })),
    });
  }

  #configure(request: pb.ConfigureRequest): pb.ConfigureResponse {
    const adapter = text.decode(request.adapter);
    try {
      const value: unknown = JSON.parse(adapter || "{}");
      this.plugin.options.adapter?.read(value, "");
    } catch (error) {
      const pointer = error instanceof Invalid ? error.pointer : "";
      return create(pb.ConfigureResponseSchema, { problems: problems([{ pointer, message: (error as Error).message }]) });
    }
    this.#adapter = adapter;
    return create(pb.ConfigureResponseSchema);
  }

  #handler(path: string): Handler {
    const handler = this.plugin.handlers.get(path);
    if (!handler) throw new StatusError(grpc.status.NOT_FOUND, `the plugin has no handler ${JSON.stringify(path)}`);
    return handler;
  }

  async #validateConfig(request: pb.ValidateConfigRequest): Promise<pb.ValidateConfigResponse> {
    const handler = this.#handler(request.handler);
    if (!handler.options.validate) throw unsupported();
    let found: Problem[];
    try {
      found = await handler.options.validate(handler.readConfig(text.decode(request.config)));
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      found = [{ pointer: error.pointer, message: error.message }];
    }
    return create(pb.ValidateConfigResponseSchema, { problems: problems(found) });
  }

  async #validateWorkflow(request: pb.ValidateWorkflowRequest): Promise<pb.ValidateWorkflowResponse> {
    const rules = this.plugin.options.validateWorkflow;
    if (!rules) throw unsupported();
    const found = await rules(request.workflowType, JSON.parse(text.decode(request.document)) as Json);
    return create(pb.ValidateWorkflowResponseSchema, { problems: problems(found) });
  }

  async #plan(request: pb.PlanRequest): Promise<pb.PlanResponse> {
    const handler = this.#handler(request.request?.handler ?? "");
    if (!handler.options.plan) throw unsupported();
    const step = this.#step(request.request, silent);
    const effects = await handler.options.plan(step, handler.readConfig(step.request.config));
    return create(pb.PlanResponseSchema, {
      effects: effects.map((e) => ({ action: e.action, target: clean(e.target), summary: clean(e.summary ?? ""), diff: clean(e.diff ?? ""), known: e.known ?? true })),
    });
  }

  async #reconcile(request: pb.ReconcileRequest): Promise<pb.ReconcileResponse> {
    const handler = this.#handler(request.request?.handler ?? "");
    if (!handler.options.reconcile) throw unsupported();
    const step = this.#step(request.request, silent);
    const verdict = await handler.options.reconcile(step, handler.readConfig(step.request.config));
    return create(pb.ReconcileResponseSchema, {
      status: pb.ReconcileStatus[verdict.status.toUpperCase() as keyof typeof pb.ReconcileStatus], detail: clean(verdict.detail ?? ""),
      result: verdict.status === "done" ? { output: json(verdict.output ?? {}), undoToken: bytes(step.undoToken) } : undefined,
    });
  }

  #step(r: pb.Request | undefined, reporter: Reporter): Step {
    const raw = r ?? create(pb.RequestSchema);
    return new Step(
      {
        handler: raw.handler, executionId: raw.executionId, workflowId: raw.workflowId, workflowName: raw.workflowName,
        workflowVersion: raw.workflowVersion, stepId: raw.stepId, stepName: raw.stepName, itemIndex: raw.itemIndex, attempt: raw.attempt,
        idempotencyKey: raw.idempotencyKey, config: text.decode(raw.config), parameters: text.decode(raw.parameters),
        workflowConfig: text.decode(raw.workflowConfig), outputs: raw.outputs.map((o) => ({ stepId: o.stepId, output: text.decode(o.output) })),
        workspaceDir: raw.workspaceDir, checkpoint: text.decode(raw.checkpoint), secrets: raw.secrets,
        traceParent: raw.traceParent, traceState: raw.traceState,
        effects: raw.effects.map((e) => ({ action: e.action, target: e.target, externalId: e.externalId, done: e.done })),
      },
      reporter, this.#adapter,
    );
  }

  async #stream(
    call: grpc.ServerWritableStream<pb.ExecuteRequest | pb.UndoRequest, unknown>, undoing: boolean,
    work: (handler: Handler, step: Step) => Promise<Outcome>,
  ): Promise<void> {
    const { callId, request } = call.request;
    let handler: Handler;
    try {
      handler = this.#handler(request?.handler ?? "");
      if (undoing && !handler.options.undo) throw unsupported();
    } catch (error) {
      const { code, message } = error as StatusError;
      call.emit("error", { code, details: message });
      return;
    }
    const events = new Events(undoing, (event) => call.write(event));
    if (this.#draining) {
      const error = new PluginError("the plugin is about to stop and takes no new work", { code: "DRAINING", fault: "host" });
      error.failureClass = "retryable";
      events.end(failure(error));
      call.end();
      return;
    }
    const step = this.#step(request, events);
    this.#calls.set(callId, step);
    call.on("cancelled", () => step.cancel(false));
    if (!undoing) events.send({ case: "started", value: create(pb.StartedSchema) });
    const left = request?.deadline ? timestampMs(request.deadline) - Date.now() : Infinity;
    const timer = left < 2 ** 31 ? setTimeout(() => step.cancel(true), Math.max(left, 0)) : undefined;
    const outcome = await work(handler, step);
    clearTimeout(timer);
    this.#calls.delete(callId);
    if (this.#calls.size === 0) for (const tell of this.#idle.splice(0)) tell();
    events.end(terminal(outcome, undoing));
    call.end();
  }

  #cancel(request: pb.CancelRequest): pb.CancelResponse {
    const step = this.#calls.get(request.callId);
    step?.cancel(request.reason === "timeout");
    return create(pb.CancelResponseSchema, { found: step !== undefined });
  }

  async #drain(): Promise<pb.DrainResponse> {
    this.#draining = true;
    if (this.#calls.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    return create(pb.DrainResponseSchema);
  }
}

const unsupported = () => new StatusError(grpc.status.UNIMPLEMENTED, "the handler does not support this call");

function problems(list: Problem[]) {
  return list.map((p) => ({
    severity: p.severity ?? "error", pointer: clean(p.pointer), stepId: p.stepId ?? "", code: p.code ?? "invalid", message: clean(p.message),
  }));
}

function failure(error: PluginError): pb.ExecuteEvent["event"] {
  return {
    case: "failure",
    value: create(pb.FailureSchema, {
      class: pb.FailureClass[error.failureClass.toUpperCase() as keyof typeof pb.FailureClass], code: error.code,
      message: clean(error.message || "the step failed without saying why"), pointer: clean(error.pointer), fault: error.fault,
      retryAfter: error.retryAfter > 0 ? durationFromMs(error.retryAfter * 1000) : undefined,
    }),
  };
}

function terminal(outcome: Outcome, undoing: boolean): pb.ExecuteEvent["event"] {
  if (outcome.kind === "failure") return failure(outcome.error);
  if (outcome.kind === "skipped") {
    return undoing ? { case: "result", value: create(pb.ResultSchema) } : { case: "skipped", value: create(pb.SkippedSchema, { reason: clean(outcome.reason) }) };
  }
  const room = 64; // For the message around them.
  if (Buffer.byteLength(outcome.output) + Buffer.byteLength(outcome.undoToken) + room > maxMessage) {
    return failure(new PluginError("the output and what undo needs are over 8 MiB", { code: "output_too_large", fault: "author" }));
  }
  return { case: "result", value: create(pb.ResultSchema, { output: bytes(outcome.output), undoToken: bytes(outcome.undoToken) }) };
}
