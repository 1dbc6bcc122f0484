import { Page } from "../../components/Page";

export default function DesignerPage({ id }: { id: string }) {
  return <Page title="Designer">{id}</Page>;
}
