// What is wrong with the definition, by step.

export interface StepProblem {
  severity: "error" | "warning";
  message: string;
}

const none: readonly StepProblem[] = [];

/** The problems of one step; the same list until they change. */
export function useStepProblems(_id: string): readonly StepProblem[] {
  return none;
}
