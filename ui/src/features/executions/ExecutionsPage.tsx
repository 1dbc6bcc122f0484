import { Page } from "../../components/Page";

export default function ExecutionsPage() {
  return <Page title="Executions">Executions</Page>;
}
