import styles from "./Spinner.module.css";

/** A turning arc; still where motion is not wanted. What is under way is said in words beside it. */
export function Spinner({ size = 16 }: { size?: number }) {
  return (
    <svg className={styles.spinner} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d="M14.2 8A6.2 6.2 0 1 1 8 1.8" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
    </svg>
  );
}
