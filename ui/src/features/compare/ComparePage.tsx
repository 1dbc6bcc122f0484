import { Page } from "../../components/Page";

export default function ComparePage({ id, other }: { id: string; other: string }) {
  return (
    <Page title="Compare">
      {id} {other}
    </Page>
  );
}
