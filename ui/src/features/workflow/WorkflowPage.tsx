import { Page } from "../../components/Page";

export default function WorkflowPage({ id }: { id: string }) {
  return <Page title="Workflow">{id}</Page>;
}
