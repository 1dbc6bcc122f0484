// What makes a drawn graph usable by keyboard. The surface is one Tab stop;
// arrows walk from step to step, and the step that has the focus is kept in
// view. Cards out of view are not in the page, so a card that gets the focus
// may first have to be brought into it.
import { useReactFlow, useStoreApi } from "@xyflow/react";
import {
  createContext,
  type FocusEvent,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useCallback,
  useContext,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Point } from "./geometry";
import styles from "./graph.module.css";
import type { OrderStep } from "./order";
import { StepCard, type StepCardProps } from "./StepCard";
import { useFar } from "./StepNode";
import { viewportFor } from "./viewport";
import { arrowOf, walk } from "./walk";

interface SurfaceState {
  /** The step that gets the focus as soon as its card is drawn. */
  wanted: RefObject<string | null>;
  root: RefObject<HTMLDivElement | null>;
  onFocusCard: (id: string) => void;
  /** A card with the focus goes out of view: the surface takes it. */
  keepFocus: () => void;
}

const SurfaceContext = createContext<SurfaceState | null>(null);

export interface SurfaceHandle {
  /** Brings a step into view and gives it the focus. */
  focusStep(id: string): void;
  /** Puts a step into the middle of the view. */
  reveal(id: string): void;
  /** Moves the view as little as needed to have a step in it. */
  show(id: string): void;
  /** Gives the surface itself the focus. */
  focus(): void;
  /** The step that the keyboard is at, or was at last. */
  current(): string | null;
}

interface SurfaceProps {
  /** What the surface is called: "Canvas, 10 steps". */
  label: string;
  /** Ids of an element that tells the keys. */
  describedBy?: string;
  steps: readonly OrderStep[];
  places: ReadonlyMap<string, Point>;
  /** Where the keyboard starts: the selected step, else the first. */
  first?: string;
  handle?: RefObject<SurfaceHandle | null>;
  /** Sees keys before the surface walks; calls preventDefault on what it took. */
  onKeyDown?: (event: KeyboardEvent<HTMLDivElement>, at: string | null) => void;
  onWalk?: (id: string, event: KeyboardEvent<HTMLDivElement>) => void;
  children: ReactNode;
}

export function Surface({
  label,
  describedBy,
  steps,
  places,
  first,
  handle,
  onKeyDown,
  onWalk,
  children,
}: SurfaceProps) {
  const root = useRef<HTMLDivElement>(null);
  const wanted = useRef<string | null>(null);
  const active = useRef<string | null>(null);
  const quiet = useRef(false);
  const [within, setWithin] = useState(false);
  const flow = useReactFlow();
  const store = useStoreApi();
  const latest = useRef({ steps, places, first });
  latest.current = { steps, places, first };

  const show = useCallback(
    (id: string, centre: boolean) => {
      const place = latest.current.places.get(id);
      const { width, height } = store.getState();
      const next = place && viewportFor(place, flow.getViewport(), { width, height }, centre);
      if (next) void flow.setViewport(next);
    },
    [flow, store],
  );
  const focusStep = useCallback(
    (id: string) => {
      active.current = id;
      show(id, false);
      const there = root.current?.querySelector<HTMLElement>(`[data-step="${CSS.escape(id)}"]`);
      wanted.current = there ? null : id;
      there?.focus();
    },
    [show],
  );
  const current = useCallback(() => {
    const { places: known, first: start } = latest.current;
    if (active.current !== null && known.has(active.current)) return active.current;
    return start ?? known.keys().next().value ?? null;
  }, []);
  useImperativeHandle(
    handle,
    () => ({
      focusStep,
      reveal: (id) => show(id, true),
      show: (id) => show(id, false),
      focus: () => root.current?.focus(),
      current,
    }),
    [focusStep, show, current],
  );

  const state = useMemo<SurfaceState>(
    () => ({
      wanted,
      root,
      onFocusCard: (id) => {
        active.current = id;
        wanted.current = null;
      },
      keepFocus: () => {
        quiet.current = true;
        root.current?.focus({ preventScroll: true });
        quiet.current = false;
      },
    }),
    [],
  );

  /** Whether an element is the surface or one of its cards; buttons and links within have Tab stops of their own. */
  const isOwn = (element: EventTarget | null) =>
    element === root.current || (element instanceof Element && element.closest("[data-step]") !== null);

  const onFocus = (event: FocusEvent<HTMLDivElement>) => {
    setWithin(isOwn(event.target));
    if (event.target !== root.current || isOwn(event.relatedTarget) || quiet.current) return;
    if (!root.current.matches(":focus-visible")) return;
    const id = latest.current.first ?? current();
    if (id !== null) focusStep(id);
  };
  const onKey = (event: KeyboardEvent<HTMLDivElement>) => {
    const onCard = (event.target as HTMLElement).closest("[data-step]");
    if (event.target !== root.current && !onCard) return;
    const at = onCard ? active.current : null;
    onKeyDown?.(event, at);
    if (event.defaultPrevented) return;
    const direction = arrowOf(event.key);
    if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = at === null ? current() : walk(at, direction, latest.current.steps, latest.current.places);
    if (next === null) return;
    focusStep(next);
    onWalk?.(next, event);
  };

  return (
    <SurfaceContext.Provider value={state}>
      <div
        ref={root}
        className={styles.surface}
        role="application"
        aria-label={label}
        aria-describedby={describedBy}
        tabIndex={within ? -1 : 0}
        onFocus={onFocus}
        onBlur={(event) => setWithin(isOwn(event.relatedTarget))}
        onKeyDown={onKey}
      >
        {children}
      </div>
    </SurfaceContext.Provider>
  );
}

interface FocusableCardProps extends StepCardProps {
  name: string;
  onPress?: (event: KeyboardEvent) => void;
}

/** A step's card that can have the focus of the surface around it. */
export function FocusableCard({ name, onPress, ...rest }: FocusableCardProps) {
  const surface = useContext(SurfaceContext);
  const element = useRef<HTMLDivElement>(null);
  const far = useFar();
  const { id } = rest;
  useLayoutEffect(() => {
    const own = element.current;
    if (surface?.wanted.current === id) own?.focus({ preventScroll: true });
    return () => {
      if (own && own === document.activeElement) surface?.keepFocus();
    };
  }, [surface, id]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button element can't be dragged in every browser, and the card holds blocks.
    <div
      ref={element}
      className={styles.card}
      data-step={id}
      role="button"
      aria-roledescription="workflow step"
      aria-label={name}
      aria-pressed={rest.selected ?? false}
      tabIndex={-1}
      onFocus={() => surface?.onFocusCard(id)}
      onKeyDown={(event) => {
        if (event.key === "Enter" || event.key === " ") {
          if (!onPress) return;
          event.preventDefault();
          onPress(event);
        }
      }}
    >
      <StepCard {...rest} far={far} />
    </div>
  );
}
