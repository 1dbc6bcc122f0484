import { Skeleton } from "../components/Skeleton";
import styles from "./PageSkeleton.module.css";

/** Stands where a page is on its way. */
export function PageSkeleton() {
  return (
    <div className={styles.page} role="status" aria-label="Loading the page">
      <Skeleton width={180} height={22} />
      <Skeleton height={120} />
    </div>
  );
}
