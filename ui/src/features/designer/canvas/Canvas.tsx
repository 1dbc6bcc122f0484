import {
  Background,
  type FinalConnectionState,
  ReactFlow,
  ReactFlowProvider,
  SelectionMode,
  useReactFlow,
  useStoreApi,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { Plus, Workflow } from "lucide-react";
import { type DragEvent, type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useShortcuts } from "../../../app/shortcuts";
import { useAnnounced } from "../../../components/announce";
import { Button } from "../../../components/Button";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Loading } from "../../../components/Loading";
import { Skeleton } from "../../../components/Skeleton";
import { toast } from "../../../components/toast";
import { count } from "../../../lib/text";
import { card, grid, type Point } from "../../graph/geometry";
import graphStyles from "../../graph/graph.module.css";
import { HandlersContext, useHandlers } from "../../graph/handlers";
import { makeMiniMap } from "../../graph/MiniMap";
import { orderOf } from "../../graph/order";
import { StepEdgeLine } from "../../graph/StepEdge";
import { plainFrame } from "../../graph/StepNode";
import { Surface, type SurfaceHandle } from "../../graph/Surface";
import { usePlaces, useSize } from "../../graph/usePlaces";
import { openingViewport, zoomRange } from "../../graph/viewport";
import { prefersStill, ZoomButtons } from "../../graph/ZoomButtons";
import { useCommands } from "../commands";
import { useDesignerState, useDesignerStore } from "../context";
import { type EditingLock, useEditingLock, useStepStatus } from "../live";
import { whyNotConnect } from "../model/commands";
import { toggleStepsList, useNarrow } from "../useNarrow";
import { type RevealOptions, useViewStore } from "../view";
import styles from "./Canvas.module.css";
import { CanvasNode, PressContext } from "./CanvasNode";
import { ConnectDialog } from "./ConnectDialog";
import { draggedHandler } from "./dragged";
import { EdgeTools } from "./EdgeTools";
import { QuickAdd } from "./QuickAdd";
import { CanvasMenu } from "./StepMenu";
import { useCanvasGraph } from "./useCanvasGraph";
import { useCanvasKeys } from "./useCanvasKeys";
import { useClipboard } from "./useClipboard";

type Places = ReadonlyMap<string, Point>;

const nodeTypes = { step: CanvasNode };
const edgeTypes = { step: StepEdgeLine };
const MiniMap = makeMiniMap(useStepStatus);

/** Offers the canvas to others: to lead to a step, to know where things are. */
function useCanvasHandle(places: Places, animateFrom: (from: Places) => void) {
  const view = useViewStore();
  const flow = useReactFlow();
  const flowStore = useStoreApi();
  const surface = useRef<SurfaceHandle>(null);
  const pointer = useRef<Point | null>(null);
  const waiting = useRef<{ id: string; options: RevealOptions } | null>(null);
  const drawn = useRef(places);
  drawn.current = places;

  const reveal = useCallback((id: string, options: RevealOptions = {}) => {
    if (!drawn.current.has(id)) {
      waiting.current = { id, options };
      return;
    }
    if (options.centre ?? true) surface.current?.reveal(id);
    if (options.focus) surface.current?.focusStep(id);
    else if (options.centre === false) surface.current?.show(id);
  }, []);
  useLayoutEffect(() => {
    const next = waiting.current;
    if (!next || !places.has(next.id)) return;
    waiting.current = null;
    reveal(next.id, next.options);
  }, [places, reveal]);

  useLayoutEffect(() => {
    const box = () => flowStore.getState().domNode?.getBoundingClientRect() ?? new DOMRect();
    view.getState().set({
      canvas: {
        reveal,
        animateFrom,
        places: () => drawn.current,
        current: () => surface.current?.current() ?? null,
        focus: () => surface.current?.focus(),
        pointer: () => pointer.current && flow.screenToFlowPosition(pointer.current, { snapToGrid: false }),
        screenPointer: () => pointer.current,
        centre: () => {
          const { left, top, width, height } = box();
          return flow.screenToFlowPosition({ x: left + width / 2, y: top + height / 2 }, { snapToGrid: false });
        },
        showAll: () => {
          const { width, height } = box();
          const first = surface.current?.current() ?? undefined;
          // After the next drawing, when the new places are known.
          requestAnimationFrame(() => void flow.setViewport(openingViewport(drawn.current, first, { width, height })));
        },
      },
    });
    return () => view.getState().set({ canvas: null });
  }, [view, flow, flowStore, reveal, animateFrom]);
  return { surface, pointer };
}

/** Has the selected step in view again where the window got narrow or wide, and the canvas with it. */
function useStaysInView(surface: RefObject<SurfaceHandle | null>) {
  const store = useDesignerStore();
  const flowStore = useStoreApi();
  const narrow = useNarrow();
  const before = useRef(narrow);
  useEffect(() => {
    const element = flowStore.getState().domNode;
    if (narrow === before.current || !element) return;
    before.current = narrow;
    let frame = 0;
    const watch = new ResizeObserver(() => {
      // Another part of a narrow designer hides it, until one comes back to it.
      if (element.clientWidth === 0) return;
      watch.disconnect();
      // The canvas library, which watches too, knows the new size by then.
      frame = requestAnimationFrame(() => {
        const { selection } = store.getState();
        const [id] = selection;
        if (id !== undefined && selection.size === 1) surface.current?.show(id);
      });
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      cancelAnimationFrame(frame);
    };
  }, [narrow, store, flowStore, surface]);
}

/** The step whose card, or whose row in the list, has the focus. */
function focusedStep(): string | null {
  const at = document.activeElement?.closest<HTMLElement>("[data-step], [data-list-step]");
  return at?.dataset.step ?? at?.dataset.listStep ?? null;
}

/** Keys that act wherever the focus is in the designer, and the list of all others for the sheet. */
function useDesignerShortcuts(targets: () => ReadonlySet<string>) {
  const view = useViewStore();
  const store = useDesignerStore();
  const commands = useCommands();
  const flow = useReactFlow();
  const group = "Designer";
  const duration = () => (prefersStill() ? 0 : 180);
  const only = () => {
    const { selection } = store.getState();
    return selection.size === 1 ? [...selection][0] : undefined;
  };
  /** The step that a new one or a connection starts from. */
  const start = () => focusedStep() ?? only();
  const quickAdd = () => {
    const { canvas, set } = view.getState();
    const after = start();
    const screen = canvas?.screenPointer() ?? undefined;
    set({ quickAdd: { after, at: after === undefined ? (canvas?.pointer() ?? undefined) : undefined, screen } });
  };
  const connectTo = () => {
    const from = start();
    if (from !== undefined) view.getState().set({ connectFrom: from });
    else toast({ title: "Choose a step first", description: "“Connect to…” starts from the selected step." });
  };
  const edits = { group, enabled: !useDesignerState((state) => state.readOnly) };
  const listed = { listed: true, run: () => undefined };
  useShortcuts([
    { keys: "/", label: "Add a step", ...edits, run: quickAdd },
    { keys: "C", label: "Connect the step to…", ...edits, run: connectTo },
    {
      keys: "L",
      label: "List of steps",
      group,
      run: () => toggleStepsList(view),
    },
    { keys: "T", label: "Tidy up", ...edits, run: () => void commands.tidy() },
    { keys: "Mod+Z", label: "Undo", ...edits, run: () => commands.undo() },
    { keys: "Mod+Shift+Z", label: "Redo", ...edits, run: () => commands.redo() },
    { keys: "Mod+Y", label: "Redo", ...edits, run: () => commands.redo() },
    { keys: "Enter", label: "Open the step's settings; Escape leads back", group, ...listed },
    { keys: "Space", label: "Select the step", group, ...listed },
    { keys: "Alt+Arrows", label: "Move the step (with Shift finely)", ...edits, ...listed },
    { keys: "M", label: "Let the arrows alone move the step", ...edits, ...listed },
    { keys: "Delete", label: "Delete what is selected", ...edits, ...listed },
    { keys: "Mod+A", label: "Select every step", group, ...listed },
    { keys: "Mod+D", label: "Duplicate", ...edits, ...listed },
    { keys: "Mod+C", label: "Copy", group, ...listed },
    { keys: "Mod+X", label: "Cut", ...edits, ...listed },
    { keys: "Mod+V", label: "Paste steps, also as YAML", ...edits, ...listed },
    { keys: "+", label: "Zoom in", group, run: () => void flow.zoomIn({ duration: duration() }) },
    { keys: "-", label: "Zoom out", group, run: () => void flow.zoomOut({ duration: duration() }) },
    { keys: "0", label: "Zoom to 100 %", group, run: () => void flow.zoomTo(1, { duration: duration() }) },
    {
      keys: "F",
      label: "Show everything",
      group,
      run: () => void flow.fitView({ padding: 0.1, maxZoom: 1, duration: duration() }),
    },
  ]);
  useClipboard(targets, ([id]) => {
    if (id !== undefined) view.getState().canvas?.reveal(id, { focus: true, centre: false });
  });
}

/** What drawing a connection does. */
function useConnecting() {
  const store = useDesignerStore();
  const view = useViewStore();
  const commands = useCommands();
  const isValidConnection = useCallback(
    ({ source, target }: { source: string | null; target: string | null }) =>
      source !== null && target !== null && whyNotConnect(store.getState().document, source, target) === null,
    [store],
  );
  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
      const { fromNode, fromHandle, toNode } = state;
      if (!fromNode) return;
      const point = "changedTouches" in event ? event.changedTouches[0] : event;
      if (!point) return;
      const screen = { x: point.clientX, y: point.clientY };
      const below = document.elementFromPoint(screen.x, screen.y);
      const over = toNode?.id ?? below?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
      const outwards = fromHandle?.type !== "target";
      if (over !== undefined) {
        if (outwards) commands.connect(fromNode.id, over);
        else commands.connect(over, fromNode.id);
        return;
      }
      if (!below?.closest(".react-flow__pane")) return;
      view.getState().set({ quickAdd: { ...(outwards ? { after: fromNode.id } : { before: fromNode.id }), screen } });
    },
    [commands, view],
  );
  return { isValidConnection, onConnectEnd };
}

function LockStrip({ lock }: { lock: EditingLock }) {
  return (
    <div className={styles.lock}>
      <span>{lock.reason}</span>
      {lock.release && (
        <Button size="small" onClick={lock.release}>
          Stop following
        </Button>
      )}
    </div>
  );
}

function Empty() {
  const view = useViewStore();
  return (
    <div className={styles.empty}>
      <EmptyState
        icon={<Workflow />}
        title="No steps yet"
        actions={
          <Button
            kind="primary"
            icon={<Plus />}
            onClick={(event) => {
              const box = event.currentTarget.getBoundingClientRect();
              view.getState().set({ quickAdd: { screen: { x: box.left, y: box.bottom + 8 } } });
            }}
          >
            Add the first step
          </Button>
        }
      >
        A workflow is made of steps that wait for one another. Drag one in from the left, or press /.
      </EmptyState>
    </div>
  );
}

function Flow({ places, size }: { places: Places; size: { width: number; height: number } }) {
  const store = useDesignerStore();
  const view = useViewStore();
  const commands = useCommands();
  const lock = useEditingLock();
  const editable = lock === null;
  useAnnounced(lock?.reason ?? "");
  const steps = useDesignerState((state) => state.document.steps);
  const [only] = useDesignerState((state) => state.selection);
  const flow = useReactFlow();
  const { nodes, edges, onNodesChange, endMove, animateFrom } = useCanvasGraph(places, editable);
  const { surface, pointer } = useCanvasHandle(places, animateFrom);
  useStaysInView(surface);
  const { onKeyDown, onPress, targets, moving } = useCanvasKeys();
  const { isValidConnection, onConnectEnd } = useConnecting();
  useDesignerShortcuts(() => targets(focusedStep()));
  const first = only ?? orderOf(steps).ids[0];
  const [opening] = useState(() => openingViewport(places, first, size));

  const onDragStop = (_: unknown, __: unknown, dragged: { id: string; position: Point }[]) => {
    commands.place(new Map(dragged.map(({ id, position }) => [id, position])));
    endMove();
  };
  const onDrop = (event: DragEvent) => {
    const path = event.dataTransfer.getData(draggedHandler);
    if (!path) return;
    event.preventDefault();
    const at = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }, { snapToGrid: false });
    const id = commands.add(path, { at });
    if (id !== null) view.getState().canvas?.reveal(id, { focus: true, centre: false });
  };

  return (
    <PressContext.Provider value={onPress}>
      <Surface
        label={`Canvas, ${count(steps.length, "step")}${moving ? ", arrows move the step" : ""}`}
        steps={steps}
        places={places}
        first={only}
        handle={surface}
        onKeyDown={onKeyDown}
      >
        <CanvasMenu>
          <ReactFlow
            ref={plainFrame}
            className={graphStyles.flow}
            nodes={nodes}
            edges={edges}
            nodeTypes={nodeTypes}
            edgeTypes={edgeTypes}
            defaultViewport={opening}
            minZoom={zoomRange.least}
            maxZoom={zoomRange.most}
            onlyRenderVisibleElements
            nodesConnectable={editable}
            nodesFocusable={false}
            edgesFocusable={false}
            elevateNodesOnSelect
            disableKeyboardA11y
            deleteKeyCode={null}
            panActivationKeyCode={null}
            selectionKeyCode="Shift"
            multiSelectionKeyCode={["Shift", "Control", "Meta"]}
            selectionMode={SelectionMode.Partial}
            snapToGrid
            snapGrid={[grid, grid]}
            nodeDragThreshold={2}
            connectionDragThreshold={3}
            connectionRadius={28}
            connectOnClick={false}
            isValidConnection={isValidConnection}
            onConnectEnd={onConnectEnd}
            onNodesChange={onNodesChange}
            onNodeDragStop={onDragStop}
            onSelectionDragStop={(event, dragged) => onDragStop(event, null, dragged)}
            onNodeDoubleClick={() => view.getState().set({ settings: true, tab: "settings" })}
            onNodeContextMenu={(_, { id }) => {
              if (!store.getState().selection.has(id)) store.getState().select([id]);
            }}
            onEdgeClick={(_, { id }) => store.getState().selectEdge(id)}
            onEdgeContextMenu={(_, { id }) => store.getState().selectEdge(id)}
            onPaneClick={() => store.getState().select([])}
            onPaneContextMenu={() => store.getState().select([])}
            onDragOver={(event) => {
              if (!event.dataTransfer.types.includes(draggedHandler)) return;
              event.preventDefault();
              event.dataTransfer.dropEffect = "copy";
            }}
            onDrop={onDrop}
            onPointerMove={(event) => {
              pointer.current = { x: event.clientX, y: event.clientY };
            }}
            onPointerLeave={() => {
              pointer.current = null;
            }}
          >
            <Background gap={20} size={1.4} />
            <EdgeTools />
            {steps.length > 0 && <MiniMap />}
          </ReactFlow>
        </CanvasMenu>
      </Surface>
      {steps.length === 0 && <Empty />}
      <ZoomButtons />
      {lock && <LockStrip lock={lock} />}
    </PressContext.Provider>
  );
}

/** The workflow as a graph that can be edited. */
export function Canvas() {
  const steps = useDesignerState((state) => state.document.steps);
  const handlers = useHandlers();
  const { places, error } = usePlaces(steps);
  const [measure, size] = useSize();
  return (
    <HandlersContext.Provider value={handlers}>
      <div ref={measure} className={styles.canvas} style={{ "--card-width": `${card.width}px` } as React.CSSProperties}>
        {error !== null && <ErrorNotice error={error} doing="The steps could not be laid out" />}
        {places && size ? (
          <ReactFlowProvider>
            <Flow places={places} size={size} />
            <QuickAdd />
            <ConnectDialog />
          </ReactFlowProvider>
        ) : (
          <Loading label="Laying the steps out" className={styles.loading}>
            <Skeleton width={card.width} height={card.height} />
            <Skeleton width={card.width} height={card.height} />
          </Loading>
        )}
      </div>
    </HandlersContext.Provider>
  );
}
