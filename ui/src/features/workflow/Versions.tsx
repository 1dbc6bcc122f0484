import { lazy, Suspense, useEffect, useRef } from "react";
import { useWhyNot } from "../../api/role";
import { Card } from "../../components/Card";
import { Skeleton } from "../../components/Skeleton";

const VersionList = lazy(() => import("../versions/VersionList"));

/** What was saved, the newest first, to compare and to restore. asked brings it into view. */
export function Versions({ id, asked }: { id: string; asked: boolean }) {
  const locked = useWhyNot("edit");
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!asked) return;
    place.current?.scrollIntoView({ block: "start" });
    place.current?.focus({ preventScroll: true });
  }, [asked]);
  return (
    <div ref={place} tabIndex={-1} id="versions" style={{ outline: "none", scrollMarginTop: 70 }}>
      <Card title="Versions" padded>
        <Suspense fallback={<Skeleton height={160} />}>
          <VersionList workflowId={id} locked={locked} />
        </Suspense>
      </Card>
    </div>
  );
}
