import { ArrowDown, ArrowUp } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";
import styles from "./Table.module.css";

export interface Column {
  id: string;
  label: string;
  /** Numbers stand at the right. */
  end?: boolean;
  /** The order of its first press; without it the column can't be sorted by. */
  sort?: "asc" | "desc";
  /** Only screen readers need its name. */
  hidden?: boolean;
  /** As narrow as what is in it. */
  shrink?: boolean;
}

export interface Order {
  column: string;
  descending: boolean;
}

/** An order as it stands in an address: "name", "-duration". */
export function readOrder(text: string, columns: readonly Column[], otherwise: Order): Order {
  const descending = text.startsWith("-");
  const column = descending ? text.slice(1) : text;
  return columns.some((each) => each.id === column && each.sort) ? { column, descending } : otherwise;
}

export function writeOrder({ column, descending }: Order): string {
  return (descending ? "-" : "") + column;
}

interface HeadProps {
  column: Column;
  order?: Order;
  onOrder?: (order: Order) => void;
}

function Head({ column, order, onOrder }: HeadProps) {
  const here = order?.column === column.id;
  const name = cx(column.end && styles.end, column.shrink && styles.shrink);
  if (!column.sort || !onOrder) {
    return (
      <th scope="col" className={name}>
        {column.hidden ? <span className="visually-hidden">{column.label}</span> : column.label}
      </th>
    );
  }
  const first = column.sort === "desc";
  const next = here ? !order.descending : first;
  const Arrow = (here ? order.descending : first) ? ArrowDown : ArrowUp;
  return (
    <th scope="col" className={name} aria-sort={here ? (order.descending ? "descending" : "ascending") : "none"}>
      <button
        type="button"
        className={styles.sort}
        data-idle={here ? undefined : ""}
        onClick={() => onOrder({ column: column.id, descending: next })}
      >
        {column.label}
        <Arrow aria-hidden="true" />
      </button>
    </th>
  );
}

interface TableProps {
  /** What the table is, for screen readers. */
  label: string;
  columns: readonly Column[];
  order?: Order;
  onOrder?: (order: Order) => void;
  /** Lower rows, for lists of one line each. */
  dense?: boolean;
  busy?: boolean;
  children: ReactNode;
}

/** A table with hairlines; below 760 px its rows become cards. */
export function Table({ label, columns, order, onOrder, dense, busy, children }: TableProps) {
  return (
    <div className={styles.wrap}>
      <table className={cx(styles.table, dense && styles.dense)} aria-label={label} aria-busy={busy || undefined}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.id} column={column} order={order} onOrder={onOrder} />
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

interface CellProps extends ComponentProps<"td"> {
  /** The column's name, shown beside the value where rows are cards. */
  label?: string;
  end?: boolean;
  shrink?: boolean;
}

export function Cell({ label, end, shrink, className, ...rest }: CellProps) {
  return <td {...rest} data-label={label} className={cx(end && styles.end, shrink && styles.shrink, className)} />;
}

/** What can be done with a row. */
export function RowActions({ children }: { children: ReactNode }) {
  return <div className={styles.actions}>{children}</div>;
}
