import { Page } from "../../components/Page";

export default function ExecutionPage({ id }: { id: string }) {
  return <Page title="Execution">{id}</Page>;
}
