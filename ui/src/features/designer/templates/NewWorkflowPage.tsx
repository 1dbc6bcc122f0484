import { Page } from "../../../components/Page";

export default function NewWorkflowPage() {
  return <Page title="New workflow">New workflow</Page>;
}
