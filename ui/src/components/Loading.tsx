import type { ReactNode } from "react";

interface LoadingProps {
  /** What is on its way: "Loading the steps". */
  label: string;
  className?: string;
  /** Bars of about the form of what will come. */
  children: ReactNode;
}

/** Stands where something is on its way, and says what to those who don't see the bars. */
export function Loading({ label, className, children }: LoadingProps) {
  return (
    <div className={className} aria-busy="true">
      <span className="visually-hidden">{label}</span>
      {children}
    </div>
  );
}
