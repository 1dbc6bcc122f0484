import { Loading } from "../components/Loading";
import { Skeleton } from "../components/Skeleton";
import styles from "./PageSkeleton.module.css";

/** Stands where a page is on its way. */
export function PageSkeleton() {
  return (
    <Loading label="Loading the page" className={styles.page}>
      <Skeleton width={180} height={22} />
      <Skeleton height={120} />
    </Loading>
  );
}
