import { Background, type NodeProps, ReactFlow, ReactFlowProvider } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { memo, useMemo, useRef } from "react";
import type { Definition } from "../../api/types";
import { ErrorNotice } from "../../components/ErrorNotice";
import { count } from "../../lib/text";
import { edgesOf, nodesOf, type StepNode } from "./elements";

import styles from "./graph.module.css";
import { HandlersContext, useHandlers, useStepLook } from "./handlers";

import { MiniMap } from "./MiniMap";
import { orderOf } from "./order";
import { describeStep } from "./StepCard";
import { StepEdgeLine } from "./StepEdge";
import { plainFrame, StepNodeFrame } from "./StepNode";
import { FocusableCard, Surface } from "./Surface";
import { StatusContext, type Statuses, sourceOf, useStatus } from "./status";
import { usePlaces, useSize } from "./usePlaces";
import { openingViewport, zoomRange } from "./viewport";
import { ZoomButtons } from "./ZoomButtons";

const ReadNode = memo(function ReadNode({ id, data: { step }, selected }: NodeProps<StepNode>) {
  const status = useStatus(id);
  const card = { id, ...useStepLook(step), off: step.enabled === false, status, selected };
  return (
    <StepNodeFrame>
      <FocusableCard
        {...card}
        name={describeStep(card, step.dependencies ?? [])}
        onPress={(event) => (event.currentTarget as HTMLElement).click()}
      />
    </StepNodeFrame>
  );
});

const nodeTypes = { step: ReadNode };
const edgeTypes = { step: StepEdgeLine };

export interface GraphViewProps {
  definition: Pick<Definition, "steps">;
  /** Where the steps of a run are: a map, or a store whose events redraw single cards. */
  statuses?: Statuses;
  selected?: string;
  /** A step was chosen; null when the empty canvas was. */
  onSelect?: (id: string | null) => void;
  minimap?: boolean;
  /** CSS height; fills its parent without one. */
  height?: number | string;
  /** What the graph is called, beside its number of steps. */
  label?: string;
}

/** A workflow's graph to look at: steps can be walked and chosen, nothing can be changed. */
export function GraphView({
  definition,
  statuses,
  selected,
  onSelect,
  minimap,
  height,
  label = "Graph",
}: GraphViewProps) {
  const { steps } = definition;
  const source = useMemo(() => sourceOf(statuses), [statuses]);
  const handlers = useHandlers();
  const [measure, size] = useSize();
  const { places, error } = usePlaces(steps);
  const chosen = useMemo(() => new Set(selected === undefined ? [] : [selected]), [selected]);
  const before = useRef<StepNode[]>([]);
  const nodes = useMemo(() => {
    before.current = places
      ? nodesOf(steps, { place: (id) => places.get(id), selected: chosen, draggable: false, before: before.current })
      : [];
    return before.current;
  }, [steps, places, chosen]);
  const edges = useMemo(() => edgesOf(steps, { selected: chosen }), [steps, chosen]);
  const first = selected ?? orderOf(steps).ids[0];

  return (
    <HandlersContext.Provider value={handlers}>
      <StatusContext.Provider value={source}>
        <div ref={measure} className={styles.view} style={height === undefined ? undefined : { height }}>
          {error !== null && <ErrorNotice error={error} doing="The steps could not be laid out" />}
          {places && size && (
            <ReactFlowProvider>
              <Surface
                label={`${label}, ${count(steps.length, "step")}`}
                steps={steps}
                places={places}
                first={first}
                onWalk={(id) => onSelect?.(id)}
              >
                <ReactFlow
                  ref={plainFrame}
                  className={styles.flow}
                  nodes={nodes}
                  edges={edges}
                  nodeTypes={nodeTypes}
                  edgeTypes={edgeTypes}
                  defaultViewport={openingViewport(places, first, size)}
                  minZoom={zoomRange.least}
                  maxZoom={zoomRange.most}
                  onlyRenderVisibleElements
                  nodesDraggable={false}
                  nodesConnectable={false}
                  nodesFocusable={false}
                  edgesFocusable={false}
                  elementsSelectable={false}
                  disableKeyboardA11y
                  deleteKeyCode={null}
                  selectionKeyCode={null}
                  multiSelectionKeyCode={null}
                  panActivationKeyCode={null}
                  onNodeClick={(_, node) => onSelect?.(node.id)}
                  onPaneClick={() => onSelect?.(null)}
                >
                  <Background gap={20} size={1.4} />
                  {minimap && <MiniMap />}
                </ReactFlow>
              </Surface>
              <ZoomButtons />
            </ReactFlowProvider>
          )}
        </div>
      </StatusContext.Provider>
    </HandlersContext.Provider>
  );
}
