import { useQuery } from "@tanstack/react-query";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Skeleton } from "../../../components/Skeleton";
import { LogText } from "../../run/LogText";
import { firstLine } from "../../run/steps";
import { useRunPage } from "../context";
import { explainQuery } from "../explain";
import styles from "./StepDetails.module.css";

/** Why a step is as it is, in sentences. */
export function Why({ id, status }: { id: string; status: string }) {
  const { id: run, run: now, select } = useRunPage();
  const explained = useQuery(explainQuery(run, now.stateSeq));
  const step = explained.data?.steps?.find((each) => each.step_id === id);
  if (explained.isError) {
    return (
      <ErrorNotice
        error={explained.error}
        doing="It could not be explained"
        onRetry={() => void explained.refetch()}
        retrying={explained.isFetching}
      />
    );
  }
  if (!step) return <Skeleton width="70%" />;
  const others = step.waits_for ?? [];
  return (
    <ul className={styles.reasons}>
      {(step.reasons ?? []).map((reason) => (
        <li key={reason}>
          <Reason text={reason} />
        </li>
      ))}
      {step.reasons?.length === 0 && <li>It is {status}.</li>}
      {others.length > 0 && (
        <li>
          Look at{" "}
          {others.slice(0, 5).map((other, index) => (
            <span key={other}>
              {index > 0 && ", "}
              <LinkLike onClick={() => select(other)}>{other}</LinkLike>
            </span>
          ))}
          {others.length > 5 && ` and ${others.length - 5} more`}
        </li>
      )}
    </ul>
  );
}

/** One of the sentences. What a program wrote over several lines stands whole with the failure itself. */
export function Reason({ text }: { text: string }) {
  const { shown } = useRunPage();
  const first = firstLine(text);
  return <LogText text={shown.text(first.length < text.length ? `${first} …` : first)} />;
}

function LinkLike({ onClick, children }: { onClick: () => void; children: string }) {
  return (
    <button type="button" className={styles.linkLike} onClick={onClick}>
      {children}
    </button>
  );
}
