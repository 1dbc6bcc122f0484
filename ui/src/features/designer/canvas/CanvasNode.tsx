import type { NodeProps } from "@xyflow/react";
import { createContext, type KeyboardEvent, memo, useContext, useMemo } from "react";
import type { StepNode } from "../../graph/elements";
import { useStepLook } from "../../graph/handlers";
import { describeStep } from "../../graph/StepCard";
import { StepNodeFrame } from "../../graph/StepNode";
import { FocusableCard } from "../../graph/Surface";
import { useStepStatus } from "../live";
import { useStepProblems } from "../problems";

/** What Enter and Space do on a card. */
export const PressContext = createContext<(id: string, event: KeyboardEvent) => void>(() => undefined);

/** A step on the designer's canvas. */
export const CanvasNode = memo(function CanvasNode({
  id,
  data: { step },
  selected,
  isConnectable,
}: NodeProps<StepNode>) {
  const press = useContext(PressContext);
  const status = useStepStatus(id);
  const found = useStepProblems(id);
  const problems = useMemo(() => {
    const errors = found.filter((problem) => problem.severity === "error").length;
    return found.length > 0 ? { errors, warnings: found.length - errors } : undefined;
  }, [found]);
  const card = { id, ...useStepLook(step), off: step.enabled === false, status, problems, selected };
  return (
    <StepNodeFrame connectable={isConnectable}>
      <FocusableCard
        {...card}
        name={describeStep(card, step.dependencies ?? [])}
        onPress={(event) => press(id, event)}
      />
    </StepNodeFrame>
  );
});
