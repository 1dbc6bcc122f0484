// What a person does in the designer: each is one entry of the history, says
// in words what it did or why not, and leaves selection and focus where the
// person goes on. Canvas, palette, list and shortcuts all come here.
import { useMemo } from "react";
import type { Definition, HandlerSummary, Json, StepDefinition } from "../../api/types";
import { announce } from "../../components/announce";
import { toast } from "../../components/toast";
import { count } from "../../lib/text";
import { edgeEnds } from "../graph/elements";
import { card, gap, type Point, snap } from "../graph/geometry";
import { type Handlers, useHandlers } from "../graph/handlers";
import { askLayout } from "../graph/layoutClient";
import { downstreamOf, orderOf } from "../graph/order";
import { freePlace, placeAfter } from "../graph/placement";
import { defaultConfig } from "../schema-form/defaults";
import { useDesignerStore } from "./context";
import { useEditingLock } from "./live";
import { copyText, readSteps } from "./model/clipboard";
import {
  addStep,
  connect,
  disconnect,
  duplicateSteps,
  insertStep,
  moveSteps,
  newStepId,
  pasteSteps,
  pinPositions,
  removeSteps,
  setPositions,
  stepById,
  whyNotConnect,
} from "./model/commands";
import { noteHandler } from "./recent";
import type { DesignerStore } from "./store";
import { type AddTarget, useViewStore, type ViewStore } from "./view";

interface Surroundings {
  store: DesignerStore;
  view: ViewStore;
  handlers: Handlers | undefined;
  /** Why nothing may be edited now. */
  locked: string | null;
  defaults: (schema: unknown) => { [key: string]: Json };
}

export type Commands = ReturnType<typeof makeCommands>;

// Text that went to the clipboard, for browsers that don't let pages read it.
let copied = "";
let pastes = 0;

const noPlaces: ReadonlyMap<string, Point> = new Map();

/** A place for a new card, and those that make room for it. */
function placeNew(document: Definition, target: AddTarget, drawn: ReadonlyMap<string, Point>, centre: Point) {
  const room = new Map<string, Point>();
  const half = { x: card.width / 2, y: card.height / 2 };
  const { from, to } = edgeEnds(target.into ?? "");
  const [start, end] = [drawn.get(from), drawn.get(to)];
  if (start && end) {
    const place = { x: start.x + card.width + gap.across, y: (start.y + end.y) / 2 };
    const missing = place.x + card.width + gap.across - end.x;
    if (missing > 0) {
      for (const id of [to, ...downstreamOf(document.steps, to)]) {
        const own = drawn.get(id);
        if (own) room.set(id, snap({ x: own.x + missing, y: own.y }));
      }
    }
    const others = [...drawn].flatMap(([id, own]) => room.get(id) ?? own);
    return { place: freePlace(place, others), room };
  }
  const taken = [...drawn.values()];
  const after = target.after === undefined ? undefined : drawn.get(target.after);
  const before = target.before === undefined ? undefined : drawn.get(target.before);
  if (target.at) return { place: snap({ x: target.at.x - half.x, y: target.at.y - half.y }), room };
  if (after) return { place: placeAfter(after, taken), room };
  if (before) return { place: freePlace({ x: before.x - card.width - gap.across, y: before.y }, taken), room };
  return { place: freePlace({ x: centre.x - half.x, y: centre.y - half.y }, taken), room };
}

/** The step that the focus goes to when some are removed: the next in order, else the one before. */
export function nextAfterRemoval(document: Definition, ids: ReadonlySet<string>): string | null {
  const order = orderOf(document.steps).ids;
  const last = order.findLastIndex((id) => ids.has(id));
  return (
    order.slice(last + 1).find((id) => !ids.has(id)) ?? order.slice(0, last + 1).findLast((id) => !ids.has(id)) ?? null
  );
}

export function makeCommands({ store, view, handlers, locked, defaults }: Surroundings) {
  const document = () => store.getState().document;
  const canvas = () => view.getState().canvas;
  const drawn = () => canvas()?.places() ?? noPlaces;
  const refused = () => {
    if (locked === null) return false;
    toast({ title: "Editing is locked", description: locked });
    return true;
  };
  /** An edit of the shape, which also saves where everything is drawn. */
  const edit = (change: (before: Definition) => Definition, options?: { join?: string; select?: Iterable<string> }) => {
    const places = drawn();
    store.getState().edit((before) => {
      const after = change(before);
      return after === before ? before : pinPositions(after, places);
    }, options);
  };

  function newStep(path: string, handler: HandlerSummary | undefined, position: Point): StepDefinition {
    const config = handler ? defaults(handler.config_schema) : {};
    return {
      id: newStepId(document(), path),
      handler: path,
      ...(Object.keys(config).length > 0 && { config }),
      ui: { position },
    };
  }

  return {
    /** Adds a step of a handler and selects it. Gives its id; null where editing is locked. */
    add(path: string, target: AddTarget = {}): string | null {
      if (refused()) return null;
      const centre = canvas()?.centre() ?? { x: 0, y: 0 };
      const { place, room } = placeNew(document(), target, drawn(), centre);
      const step = newStep(path, handlers?.get(path), place);
      const { from, to } = edgeEnds(target.into ?? "");
      edit(
        (before) => {
          const spread = setPositions(before, room);
          if (target.into !== undefined) return insertStep(spread, step, from, to);
          const added = addStep(spread, step, target.after);
          return target.before === undefined ? added : connect(added, step.id, target.before);
        },
        { select: [step.id] },
      );
      noteHandler(path);
      announce(`Added ${handlers?.get(path)?.name ?? path} as ${step.id}`);
      return step.id;
    },

    /** Removes steps with their connections. Gives the id that the focus may go to. */
    remove(ids: ReadonlySet<string>): string | null {
      if (ids.size === 0 || refused()) return null;
      const next = nextAfterRemoval(document(), ids);
      edit((before) => removeSteps(before, ids), { select: [] });
      announce(`Deleted ${count(ids.size, "step")}`);
      return next;
    },

    /** Makes a step wait for another, or says why that can't be. */
    connect(from: string, to: string): boolean {
      if (refused()) return false;
      const reason = whyNotConnect(document(), from, to);
      if (reason !== null) {
        toast({ title: "These steps can't be connected", description: reason, urgent: true });
        return false;
      }
      edit((before) => connect(before, from, to));
      announce(`Connected ${from} to ${to}`);
      return true;
    },

    /** Removes a connection written as "from>to". */
    disconnect(edge: string): void {
      if (refused()) return;
      const { from, to } = edgeEnds(edge);
      edit((before) => disconnect(before, from, to));
      if (store.getState().selectedEdge === edge) store.getState().selectEdge(null);
      announce(`Removed the connection from ${from} to ${to}`);
    },

    /** Moves steps by a distance; presses of keys in quick succession are one entry. */
    move(ids: ReadonlySet<string>, by: Point, join?: string): void {
      if (ids.size === 0 || refused()) return;
      edit((before) => moveSteps(before, ids, by, drawn()), { join });
    },

    /** Saves where steps were dragged to. */
    place(places: ReadonlyMap<string, Point>): void {
      if (refused()) return;
      edit((before) => setPositions(before, places));
    },

    duplicate(ids: ReadonlySet<string>): string[] {
      if (ids.size === 0 || refused()) return [];
      const places = drawn();
      const made = duplicateSteps(pinPositions(document(), places), ids);
      edit(() => made.definition, { select: made.ids });
      announce(`Duplicated ${count(ids.size, "step")}`);
      return made.ids;
    },

    /** The steps as text for the clipboard; also kept here for browsers that don't give it back. */
    copyText(ids: ReadonlySet<string>): string {
      const pinned = pinPositions(document(), drawn());
      copied = copyText(
        pinned.steps.filter((step) => ids.has(step.id)),
        view.getState().origin,
      );
      pastes = 0;
      announce(`Copied ${count(ids.size, "step")}`);
      return copied;
    },

    /** Puts steps on the clipboard. */
    async copy(ids: ReadonlySet<string>): Promise<void> {
      if (ids.size === 0) return;
      const text = this.copyText(ids);
      await globalThis.navigator.clipboard?.writeText(text).catch(() => undefined);
    },

    /** Adds the steps of a text, of the clipboard without one. */
    async paste(text?: string): Promise<string[]> {
      if (refused()) return [];
      const source = text ?? (await globalThis.navigator.clipboard?.readText().catch(() => "")) ?? "";
      const found = await readSteps(source || copied);
      if (!found) {
        toast({ title: "Nothing to paste", description: "The clipboard holds no steps, as JSON or YAML." });
        return [];
      }
      const keepOutside = found.origin === null || found.origin === view.getState().origin;
      const here = canvas();
      pastes++;
      const at = here?.pointer() ?? (found.origin === view.getState().origin ? null : here?.centre());
      const places = drawn();
      const made = pasteSteps(pinPositions(document(), places), found.steps, {
        at: at ?? undefined,
        shift: 40 * pastes,
        keepOutside,
      });
      edit(() => made.definition, { select: made.ids });
      announce(`Pasted ${count(made.ids.length, "step")}`);
      return made.ids;
    },

    selectAll(): void {
      store.getState().select(document().steps.map((step) => step.id));
      announce(`Selected ${count(document().steps.length, "step")}`);
    },

    /** Lays everything out from left to right. */
    async tidy(): Promise<void> {
      if (document().steps.length === 0 || refused()) return;
      const asked = document();
      const list = asked.steps.map(({ id, dependencies = [] }) => ({ id, dependencies }));
      try {
        const places = await askLayout(list);
        // What changed meanwhile is not laid out by what it was before.
        if (document().steps.some((step) => !places.has(step.id))) return;
        const before = drawn();
        store.getState().edit((now) => setPositions(now, places));
        canvas()?.animateFrom(before);
        canvas()?.showAll();
        announce("Tidied up");
      } catch (error) {
        // The cause helps whoever mends it, and nobody else.
        console.error(error);
        toast({
          title: "The steps could not be laid out",
          description: "They stay where they are. Try again; if that does not help, reload the page.",
          kind: "error",
        });
      }
    },

    undo(): void {
      if (!refused()) store.getState().undo();
    },

    redo(): void {
      if (!refused()) store.getState().redo();
    },

    /** Whether a step is there. */
    has: (id: string) => stepById(document(), id) !== undefined,
  };
}

/** The commands of the designer around. */
export function useCommands(): Commands {
  const store = useDesignerStore();
  const view = useViewStore();
  const handlers = useHandlers();
  const locked = useEditingLock()?.reason ?? null;
  return useMemo(
    () => makeCommands({ store, view, handlers, locked, defaults: defaultConfig }),
    [store, view, handlers, locked],
  );
}
