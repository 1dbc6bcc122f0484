// Whether the references of a step lead to something: the server's rules, so
// that a broken one is shown while it is typed, and can be repaired.
import type { Definition, HandlerSummary, StepDefinition } from "../../../api/types";
import { didYouMean, nearest } from "../../../lib/nearest";
import { below, isWithin, valueAt, withValueAt } from "../../../lib/pointer";
import { upstreamOf } from "../../graph/order";
import { type Found, pathSegment, type Reference, referencesIn, roots } from "../../schema-form/references";
import { asSchema } from "../../schema-form/schema";
import { connect, whyNotConnect } from "../model/commands";
import type { Problem, Repair } from "../problems";

type Handlers = ReadonlyMap<string, HandlerSummary>;

/** What references are judged by; the same object as long as none of it has changed. */
export interface ReferenceWorld {
  document: Definition;
  handlers: Handlers | undefined;
  upstream: Map<string, ReadonlySet<string>>;
}

/** A problem whose pointer begins at the step. */
export type Local = Omit<Problem, "stepId" | "severity">;

const found = new WeakMap<object, readonly Found[]>();

function referencesOf(config: object): readonly Found[] {
  let references = found.get(config);
  if (!references) {
    references = referencesIn(config, "/config");
    found.set(config, references);
  }
  return references;
}

/** The problems of all references of a step. */
export function checkReferences(step: StepDefinition, world: ReferenceWorld): Local[] {
  const places = [
    ...(step.config ? referencesOf(step.config) : []),
    ...referencesIn(step.enabled, "/enabled"),
    ...referencesIn(step.for_each, "/for_each"),
  ];
  return places.flatMap((place) => [
    ...place.mistakes.map((mistake) => ({
      pointer: place.pointer,
      code: "reference_syntax",
      message: `${mistake.text} ${mistake.reason}${hint(mistake.text)}`,
      repair: repairRoot(step.id, place.pointer, mistake.text),
    })),
    ...place.references.flatMap((reference) => checkOne(step, place, reference, world) ?? []),
  ]);
}

function rootOf(text: string): string | undefined {
  const root = /^\$\{\s*([\w-]+)/.exec(text)?.[1];
  return root && !(roots as readonly string[]).includes(root) ? nearest(root, roots) : undefined;
}

function hint(text: string): string {
  return didYouMean(rootOf(text));
}

function repairRoot(stepId: string, pointer: string, text: string): Repair | undefined {
  const root = rootOf(text);
  if (!root) return undefined;
  return replaceText(stepId, pointer, text, text.replace(/^(\$\{\s*)[\w-]+/, `$1${root}`), `Change to “${root}”`);
}

/** A repair that puts another text in the place of a reference. */
function replaceText(stepId: string, pointer: string, from: string, to: string, label: string): Repair {
  return {
    label,
    apply: (document) => {
      const index = document.steps.findIndex(({ id }) => id === stepId);
      const at = `/steps/${index}${pointer}`;
      const text = valueAt(document, at);
      return typeof text === "string"
        ? withValueAt(
            document,
            at,
            text.replace(from, () => to),
          )
        : document;
    },
  };
}

/** A reference with one key of its path replaced. */
function withPathKey(reference: Reference, at: number, key: string): string {
  const path = reference.path.map((old, index) => pathSegment(index === at ? key : old)).join("");
  const fallback = /\s*\|.*\}$/s.exec(reference.text)?.[0] ?? "}";
  return `\${${reference.root}${path}${fallback}`;
}

function checkOne(
  step: StepDefinition,
  { pointer }: Found,
  reference: Reference,
  world: ReferenceWorld,
): Local | undefined {
  const isConfig = isWithin(pointer, "/config");
  const make = (code: string, reason: string, repair?: Repair): Local => ({
    pointer,
    code,
    message: `${reference.text} ${reason}`,
    repair,
  });
  /** A problem with one key, and a repair where a known one is near. */
  const misnamed = (code: string, reason: string, at: number, known: Iterable<string>, otherwise?: Repair): Local => {
    const near = nearest(String(reference.path[at]), known);
    const repair = near
      ? replaceText(step.id, pointer, reference.text, withPathKey(reference, at, near), `Change to “${near}”`)
      : otherwise;
    return make(code, `${reason}${didYouMean(near)}`, repair);
  };
  const name = reference.path[0];
  switch (reference.root) {
    case "parameters": {
      if (typeof name !== "string") return make("reference_syntax", "names no parameter.");
      const known = (world.document.parameters ?? []).map((parameter) => parameter.name);
      if (known.includes(name)) return undefined;
      return misnamed("unknown_parameter", "names a parameter that is not declared", 0, known, declare(name));
    }
    case "config":
      return checkConfig(reference, world.document, misnamed, make);
    case "step-outputs":
      return checkOutput(step, reference, world, misnamed, make);
    case "item":
    case "index":
      if (isConfig && step.for_each !== undefined) return undefined;
      return make("item_outside_for_each", "has a value only in the configuration of a step that runs for each item.");
    case "secrets":
      if (isConfig) return undefined;
      return make("not_allowed_here", "can't be used here: a secret may stand only in a step's configuration.");
    case "trigger":
      return make("trigger_outside_trigger", "has a value only in a trigger's parameters.");
  }
  return undefined;
}

type Make = (code: string, reason: string, repair?: Repair) => Local;
type Misnamed = (code: string, reason: string, at: number, known: Iterable<string>, otherwise?: Repair) => Local;

function declare(name: string): Repair | undefined {
  if (!/^[A-Za-z_]\w*$/.test(name)) return undefined;
  return {
    label: `Declare “${name}”`,
    apply: (document) => ({
      ...document,
      parameters: [...(document.parameters ?? []), { name, type: "string" as const }],
    }),
  };
}

function checkConfig(reference: Reference, document: Definition, misnamed: Misnamed, make: Make): Local | undefined {
  if (reference.hasDefault) return undefined;
  if (reference.path.length === 0) return make("reference_syntax", "names no value of the workflow's config.");
  let value: unknown = document.config ?? {};
  for (const [at, key] of reference.path.entries()) {
    if (typeof value === "object" && value !== null && Object.hasOwn(value, key)) {
      value = (value as { [key: string]: unknown })[key];
      continue;
    }
    const known = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
    return misnamed("unknown_config", "names nothing in the workflow's config", at, known);
  }
  return undefined;
}

function checkOutput(
  step: StepDefinition,
  reference: Reference,
  world: ReferenceWorld,
  misnamed: Misnamed,
  make: Make,
): Local | undefined {
  const { document } = world;
  const id = String(reference.path[0] ?? "");
  const target = document.steps.find((other) => other.id === id);
  const upstream = upstreamIn(world, step.id);
  if (!target) {
    // A step that comes before is more likely meant than any other.
    const all = document.steps.map((other) => other.id).filter((other) => other !== step.id);
    const near = nearest(id, upstream) ? upstream : all;
    return misnamed("unknown_step", `names “${id}”, which is no step of this workflow`, 0, near);
  }
  if (target === step)
    return make("step_not_upstream", "names the step itself, which has no output before it has run.");
  if (!reference.hasDefault && !upstream.has(id)) {
    const why = whyNotConnect(document, id, step.id);
    const way =
      why === null ? "Let this step wait for it." : "It can't wait for it; use another step, or add a default.";
    return make(
      "step_not_upstream",
      `names step “${id}”, which does not come before this one. ${way}`,
      why === null ? { label: `Wait for “${id}”`, apply: (now) => connect(now, id, step.id) } : undefined,
    );
  }
  return checkOutputKey(reference, target, world.handlers, misnamed);
}

function checkOutputKey(
  reference: Reference,
  target: StepDefinition,
  handlers: Handlers | undefined,
  misnamed: Misnamed,
): Local | undefined {
  const key = reference.path[1];
  if (typeof key !== "string" || target.for_each !== undefined || reference.hasDefault) return undefined;
  const output = asSchema(handlers?.get(target.handler)?.output_schema);
  if (output.additionalProperties !== false) return undefined;
  const known = Object.keys(output.properties ?? {});
  if (known.includes(key)) return undefined;
  return misnamed("unknown_output", `names “${key}”, which ${target.handler} does not give`, 1, known);
}

function upstreamIn(world: ReferenceWorld, id: string): ReadonlySet<string> {
  let ids = world.upstream.get(id);
  if (!ids) {
    ids = upstreamOf(world.document.steps, id);
    world.upstream.set(id, ids);
  }
  return ids;
}

/** The pointer of a key of a step, from the pointer of the step. */
export function inStep(index: number, local: string): string {
  return `${below("/steps", index)}${local}`;
}
