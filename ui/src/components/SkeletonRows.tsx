import { Skeleton } from "./Skeleton";
import { Cell, type Column } from "./Table";

/** Rows of bars where a table's rows are on their way. */
export function SkeletonRows({ columns, rows }: { columns: readonly Column[]; rows: number }) {
  return Array.from({ length: rows }, (_, row) => row).map((row) => (
    <tr key={row}>
      {columns.map((column, index) => (
        <Cell key={column.id} label={index === 0 || column.hidden ? undefined : column.label} end={column.end}>
          <Skeleton width={index === 0 ? 150 : 72} height={column.hidden ? 28 : 12} />
        </Cell>
      ))}
    </tr>
  ));
}
