import { useQuery } from "@tanstack/react-query";
import { BellRing } from "lucide-react";
import { useLocation } from "wouter";
import { accountQuery, approvalsQuery } from "../api/queries";
import { mayApprove } from "../api/role";
import { IconButton } from "../components/Button";
import { count } from "../lib/text";
import styles from "./ApprovalsBadge.module.css";

/** How many approvals wait for the person, with the way to them. */
export function ApprovalsBadge() {
  const [, go] = useLocation();
  const account = useQuery(accountQuery).data;
  const all = useQuery(approvalsQuery).data;
  const waiting = all?.filter(({ waiting }) => mayApprove(waiting, account)).length ?? 0;
  return (
    <span className={styles.place}>
      <IconButton
        label={waiting > 0 ? `${count(waiting, "approval")} waiting for you` : "Approvals: none waiting"}
        icon={<BellRing />}
        onClick={() => go("/approvals")}
      />
      {waiting > 0 && (
        <span className={styles.badge} aria-hidden="true">
          {waiting > 99 ? "99+" : waiting}
        </span>
      )}
    </span>
  );
}
