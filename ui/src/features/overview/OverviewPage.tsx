import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useMemo } from "react";
import { liveExecutionsQuery, statsQuery, workflowsQuery } from "../../api/queries";
import { useWhyNot } from "../../api/role";
import { Button, LinkButton } from "../../components/Button";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Page } from "../../components/Page";
import { Skeleton } from "../../components/Skeleton";
import { count } from "../../lib/text";
import { FirstAccount } from "../first-account/FirstAccount";
import { Chart } from "./Chart";
import { join } from "./rows";
import { Tiles } from "./Tiles";
import { WorkflowTable } from "./WorkflowTable";

const days = 14;

/** The first page: figures, the last two weeks, and every workflow. */
export function OverviewPage() {
  const workflows = useQuery(workflowsQuery);
  const stats = useQuery(statsQuery(days));
  const live = useQuery(liveExecutionsQuery);
  const mayNot = useWhyNot("edit");
  const rows = useMemo(
    () => workflows.data && join(workflows.data, stats.data, live.data),
    [workflows.data, stats.data, live.data],
  );
  return (
    <Page
      title="Overview"
      subtitle={
        workflows.data ? (
          `${count(workflows.data.length, "workflow")}, ${live.data?.filter((each) => each.status === "running").length ?? 0} running now`
        ) : (
          <Skeleton width={160} />
        )
      }
      actions={
        mayNot ? (
          <Button kind="primary" icon={<Plus />} why={mayNot}>
            New workflow
          </Button>
        ) : (
          <LinkButton kind="primary" href="/designer" icon={<Plus />}>
            New workflow
          </LinkButton>
        )
      }
    >
      <FirstAccount />
      {stats.error && !stats.data && (
        <ErrorNotice
          error={stats.error}
          doing="The figures could not be loaded"
          onRetry={() => void stats.refetch()}
          retrying={stats.isFetching}
        />
      )}
      <Tiles stats={stats.data} live={live.data} />
      <Chart days={stats.data?.by_day} />
      <WorkflowTable
        rows={rows}
        error={
          workflows.error &&
          !workflows.data && (
            <ErrorNotice
              error={workflows.error}
              doing="The workflows could not be loaded"
              onRetry={() => void workflows.refetch()}
              retrying={workflows.isFetching}
            />
          )
        }
      />
    </Page>
  );
}
