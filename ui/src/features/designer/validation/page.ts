// The checks that the page makes by itself, at every edit: order, handlers,
// configs by their schemas, references. What did not change is not checked
// again: results are kept by the objects that they were made of.
import type { Definition, HandlerSummary, Json, StepDefinition } from "../../../api/types";
import { didYouMean, nearest } from "../../../lib/nearest";
import { below, isWithin, keysOf, valueAt, withValueAt } from "../../../lib/pointer";
import { orderOf } from "../../graph/order";
import { asSchema, type JsonSchema } from "../../schema-form/schema";
import { fieldName, validate } from "../../schema-form/validate";
import { changeStep, disconnect } from "../model/commands";
import type { Problem, Repair } from "../problems";
import { checkReferences, inStep, type Local, type ReferenceWorld } from "./references";

type Handlers = ReadonlyMap<string, HandlerSummary>;

/** Checks one definition after another, reusing what it found before. */
export function createPageChecker(): (document: Definition, handlers: Handlers | undefined) => Problem[] {
  let world: ReferenceWorld | undefined;
  const perStep = new WeakMap<StepDefinition, { world: ReferenceWorld; problems: Local[] }>();
  return (document, handlers) => {
    if (!world || !sameWorld(world, document, handlers)) world = { document, handlers, upstream: new Map() };
    else world.document = document;
    const here = world;
    const problems: Problem[] = orderProblems(document);
    document.steps.forEach((step, index) => {
      let known = perStep.get(step);
      if (known?.world !== here) {
        known = { world: here, problems: checkStep(step, here) };
        perStep.set(step, known);
      }
      for (const problem of known.problems) {
        problems.push({
          ...problem,
          severity: "error",
          stepId: step.id,
          pointer: inStep(index, problem.pointer),
        });
      }
    });
    return problems;
  };
}

/** Whether all that references are judged by is as it was; texts and places of steps don't matter. */
function sameWorld(world: ReferenceWorld, document: Definition, handlers: Handlers | undefined): boolean {
  const before = world.document;
  return (
    world.handlers === handlers &&
    before.parameters === document.parameters &&
    before.config === document.config &&
    before.steps.length === document.steps.length &&
    before.steps.every((step, i) => {
      const now = document.steps[i]!;
      return (
        step === now ||
        (step.id === now.id &&
          step.handler === now.handler &&
          step.dependencies === now.dependencies &&
          step.run_on === now.run_on &&
          (step.for_each === undefined) === (now.for_each === undefined))
      );
    })
  );
}

function orderProblems(document: Definition): Problem[] {
  const ids = document.steps.map(({ id }) => id);
  return orderOf(document.steps).problems.map(({ pointer, code, severity, step_id, message }) => {
    const [, index, , at] = keysOf(pointer);
    const dependency = document.steps[Number(index)]?.dependencies?.[Number(at)];
    return { pointer, code, severity, stepId: step_id, message, repair: repairOrder(code, step_id, dependency, ids) };
  });
}

function repairOrder(code: string, step: string, dependency: string | undefined, ids: string[]): Repair | undefined {
  if (dependency === undefined) return undefined;
  const near = code === "unknown_dependency" ? nearest(dependency, ids) : undefined;
  if (near && near !== step) {
    return {
      label: `Change to “${near}”`,
      apply: (document) =>
        changeStep(document, step, (now) => ({
          ...now,
          dependencies: [...new Set((now.dependencies ?? []).map((id) => (id === dependency ? near : id)))],
        })),
    };
  }
  if (code === "duplicate_dependency") {
    return {
      label: "Keep it once",
      apply: (document) =>
        changeStep(document, step, (now) => ({ ...now, dependencies: [...new Set(now.dependencies)] })),
    };
  }
  return { label: `Don't wait for “${dependency}”`, apply: (document) => disconnect(document, dependency, step) };
}

function checkStep(step: StepDefinition, world: ReferenceWorld): Local[] {
  const schema = asSchema(world.handlers?.get(step.handler)?.config_schema);
  const references = checkReferences(step, world).map((problem) =>
    isWithin(problem.pointer, "/config")
      ? { ...problem, field: fieldName(schema, problem.pointer.slice("/config".length)) || undefined }
      : problem,
  );
  return [...checkHandler(step, world.handlers), ...references];
}

/** By the config, what its schema says of it. */
const configs = new WeakMap<object, { schema: unknown; step: string; problems: Local[] }>();
const emptyConfig = {};

function checkHandler(step: StepDefinition, handlers: Handlers | undefined): Local[] {
  if (!handlers) return [];
  const handler = handlers.get(step.handler);
  if (!handler) {
    const near = nearest(step.handler, handlers.keys());
    const repair = near && {
      label: `Change to “${near}”`,
      apply: (document: Definition) => changeStep(document, step.id, (now) => ({ ...now, handler: near })),
    };
    return [
      {
        pointer: "/handler",
        code: "unknown_handler",
        message: `There is no handler “${step.handler}”${didYouMean(near)}`,
        repair: repair || undefined,
      },
    ];
  }
  const config = step.config ?? emptyConfig;
  const known = configs.get(config);
  if (known && step.config && known.schema === handler.config_schema && known.step === step.id) return known.problems;
  const problems = checkConfig(config, handler, step.id);
  configs.set(config, { schema: handler.config_schema, step: step.id, problems });
  return problems;
}

function checkConfig(config: { [key: string]: Json }, handler: HandlerSummary, stepId: string): Local[] {
  const schema = asSchema(handler.config_schema);
  return validate(schema, config).map((problem) => ({
    pointer: `/config${problem.pointer}`,
    code: problem.code,
    message: problem.message,
    field: problem.field || undefined,
    repair: problem.code === "unknown_key" ? repairKey(schema, problem.pointer, stepId) : undefined,
  }));
}

/** Gives a key the name that was probably meant, or takes it out. */
function repairKey(schema: JsonSchema, pointer: string, stepId: string): Repair {
  const path = keysOf(pointer);
  const key = path.pop()!;
  const parent = path.reduce((at, name) => below(at, name), "/config");
  const known = Object.keys(schemaOf(schema, path).properties ?? {});
  const near = nearest(key, known);
  const change = (map: { [key: string]: Json }) => {
    const { [key]: value, ...rest } = map;
    return near === undefined || Object.hasOwn(rest, near) ? rest : { ...rest, [near]: value! };
  };
  return {
    label: near === undefined ? `Remove “${key}”` : `Change to “${near}”`,
    apply: (document) =>
      changeStep(document, stepId, (step) => {
        const map = valueAt(step, parent);
        return typeof map === "object" && map !== null ? withValueAt(step, parent, change(map as never)) : step;
      }),
  };
}

/** The schema of a value inside of another. */
function schemaOf(schema: JsonSchema, path: readonly string[]): JsonSchema {
  return path.reduce(
    (at, key) => asSchema(at.properties?.[key] ?? (at.items && /^\d+$/.test(key) ? at.items : at.additionalProperties)),
    schema,
  );
}
