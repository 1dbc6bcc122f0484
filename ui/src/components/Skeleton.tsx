import styles from "./Skeleton.module.css";

/** A grey bar in the place of a text that is on its way. */
export function Skeleton({ width = "100%", height = 12 }: { width?: number | string; height?: number }) {
  return <span className={styles.bar} style={{ width, height }} aria-hidden="true" />;
}
