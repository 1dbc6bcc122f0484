import type { StepResult } from "../../../api/types";
import { Approval } from "./Approval";
import { ResolveForm } from "./ResolveForm";
import { SignalForm } from "./SignalForm";

type Unit = Pick<StepResult, "status" | "waiting" | "error"> & { index?: number };

/** What a person is asked for by a step, or by the first of its items that asks. */
export function Answers({ result }: { result: StepResult }) {
  const units: Unit[] = result.items ?? [result];
  const lost = units.filter(({ status }) => status === "interrupted");
  const asked = units.find((unit) => unit.status === "waiting" && unit.waiting?.reason === "approval");
  const signal = units.find((unit) => unit.status === "waiting" && unit.waiting?.reason === "signal");
  return (
    <>
      {lost.length > 0 && (
        <ResolveForm step={result.step_id} reason={lost[0]!.error?.message} items={result.items ? lost.length : 0} />
      )}
      {asked?.waiting && (
        <Approval
          key={`${result.attempts} ${asked.index ?? ""}`}
          step={result.step_id}
          waiting={asked.waiting}
          item={asked.index}
        />
      )}
      {signal?.waiting && <SignalForm name={signal.waiting.signal ?? ""} />}
    </>
  );
}
