import { useQuery } from "@tanstack/react-query";
import { BellRing } from "lucide-react";
import { accountQuery, approvalsQuery, type WaitingApproval } from "../../api/queries";
import { mayApprove, useWhyNot } from "../../api/role";
import { LinkButton } from "../../components/Button";
import { Card } from "../../components/Card";
import { EmptyState } from "../../components/EmptyState";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Page } from "../../components/Page";
import { Skeleton } from "../../components/Skeleton";
import { count } from "../../lib/text";
import { ApprovalCard, OthersApproval } from "./ApprovalCard";
import styles from "./ApprovalsPage.module.css";

function keyOf({ execution, step, item }: WaitingApproval): string {
  return `${execution.execution_id} ${step.step_id} ${item ?? ""}`;
}

/** What waits for the person's answer, and what for others'. */
export default function ApprovalsPage() {
  const account = useQuery(accountQuery).data;
  const list = useQuery(approvalsQuery);
  const mine = list.data?.filter(({ waiting }) => mayApprove(waiting, account));
  const mayNot = useWhyNot("answer");
  const others = list.data?.filter(({ waiting }) => !mayApprove(waiting, account)) ?? [];
  return (
    <Page title="Approvals" subtitle={mine ? `${count(mine.length, "approval")} waiting for you` : "Loading"}>
      {list.error && !list.data && (
        <ErrorNotice
          error={list.error}
          doing="The approvals could not be loaded"
          onRetry={() => void list.refetch()}
          retrying={list.isFetching}
        />
      )}
      {!list.data && !list.error && <Skeleton height={220} />}
      {mine?.length === 0 && (
        <Card>
          <EmptyState
            icon={<BellRing />}
            title="Nothing waits for you"
            actions={<LinkButton href="/executions?result=waiting">See what else waits</LinkButton>}
          >
            A step with “flow.approval” asks here before its workflow goes on.
          </EmptyState>
        </Card>
      )}
      {mine && mine.length > 0 && (
        <div className={styles.list}>
          {mine.map((approval) => (
            <ApprovalCard key={keyOf(approval)} approval={approval} />
          ))}
        </div>
      )}
      {others.length > 0 && (
        <Card title="Waiting for others" aside={count(others.length, "approval")}>
          {mayNot && <p className={styles.hint}>{mayNot}</p>}
          <ul className={styles.others}>
            {others.map((approval) => (
              <OthersApproval key={keyOf(approval)} approval={approval} />
            ))}
          </ul>
        </Card>
      )}
    </Page>
  );
}
