// A table whose rows stand where they are put: a real one can't leave out the
// rows that are out of sight. The name in each row is a button and has the
// focus; a press anywhere in the row does the same.
import type { ComponentProps, CSSProperties } from "react";

type Div = ComponentProps<"div">;
type Span = ComponentProps<"span">;

// biome-ignore-start lint/a11y/useSemanticElements: see above.
// biome-ignore-start lint/a11y/useFocusableInteractive: see above.
// biome-ignore-start lint/a11y/useKeyWithClickEvents: see above.

interface TableProps extends Div {
  label: string;
  /** How many rows there are, headings included. */
  rows: number;
}

export function RowTable({ label, rows, ...rest }: TableProps) {
  return <div {...rest} role="table" aria-label={label} aria-rowcount={rows} />;
}

export function RowGroup(props: Div) {
  return <div {...props} role="rowgroup" />;
}

interface RowProps extends Div {
  /** Counted from 1, headings included. */
  row: number;
}

export function Row({ row, ...rest }: RowProps) {
  return <div {...rest} role="row" aria-rowindex={row} />;
}

interface PlacedRowProps extends RowProps {
  /** Its number among those that scroll, from 0. */
  index: number;
  top: number;
  height: number;
  chosen: boolean;
}

/** A row at its place. */
export function PlacedRow({ index, top, height, chosen, ...rest }: PlacedRowProps) {
  const style: CSSProperties = { height, transform: `translateY(${top}px)` };
  return <Row {...rest} data-index={index} data-chosen={chosen || undefined} style={style} />;
}

export function ColumnHead(props: Span) {
  return <span {...props} role="columnheader" />;
}

export function RowHead(props: Span) {
  return <span {...props} role="rowheader" />;
}

export function RowCell(props: Span) {
  return <span {...props} role="cell" />;
}

// biome-ignore-end lint/a11y/useSemanticElements: see above.
// biome-ignore-end lint/a11y/useFocusableInteractive: see above.
// biome-ignore-end lint/a11y/useKeyWithClickEvents: see above.
