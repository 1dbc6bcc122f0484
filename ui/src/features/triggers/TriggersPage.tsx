import { Page } from "../../components/Page";

export default function TriggersPage() {
  return <Page title="Triggers">Triggers</Page>;
}
