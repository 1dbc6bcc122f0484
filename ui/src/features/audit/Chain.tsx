import { useMutation } from "@tanstack/react-query";
import { Link2 } from "lucide-react";
import { checkData } from "../../api/accounts";
import { useAnnounced } from "../../components/announce";
import { Button } from "../../components/Button";
import { ErrorNotice } from "../../components/ErrorNotice";
import { StatusIcon } from "../../components/StatusIcon";
import { count } from "../../lib/text";
import styles from "./AuditPage.module.css";

/** Follows the chain of the records on request: each has the hash of the one before it. */
export function Chain() {
  const check = useMutation({ mutationFn: checkData });
  const broken = check.data?.problems?.filter((problem) => /audit/i.test(problem)) ?? [];
  const others = (check.data?.problems?.length ?? 0) - broken.length;
  const verdict =
    check.data &&
    (broken.length === 0
      ? `The chain of ${count(check.data.audit, "record")} is whole.`
      : `The chain is broken: ${broken.slice(0, 3).join("; ")}`);
  const elsewhere =
    others > 0 &&
    `Elsewhere in the data ${others === 1 ? "is" : "are"} ${count(others, "problem")}; “vwmp doctor” tells of them.`;
  useAnnounced([verdict, elsewhere].filter(Boolean).join(" "));
  return (
    <div className={styles.chain}>
      <p className={styles.hint}>
        Each record has the hash of the one before it: what is changed or missing afterwards is found.
      </p>
      <Button size="small" icon={<Link2 />} busy={check.isPending} onClick={() => check.mutate()}>
        {check.isPending ? "Checking all data…" : "Check the chain"}
      </Button>
      <div className={styles.verdict}>
        {verdict && (
          <p data-status={broken.length > 0 ? "failed" : "success"}>
            <StatusIcon status={broken.length > 0 ? "failed" : "success"} size={16} /> {verdict}
          </p>
        )}
        {elsewhere && <p data-status="skipped">{elsewhere}</p>}
      </div>
      {check.error && <ErrorNotice error={check.error} doing="The chain could not be checked" />}
    </div>
  );
}
