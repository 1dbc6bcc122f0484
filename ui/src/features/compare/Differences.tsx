import type { Schemas } from "../../api/client";
import { capital } from "../../lib/text";
import styles from "./ComparePage.module.css";

type Difference = Schemas["Difference"];

const signs = { added: "+", removed: "−", changed: "≠" } as const;

/** Where two values differ: the place, and what stands there in each. */
export function Differences({ list }: { list: readonly Difference[] }) {
  return (
    <div className={styles.tableFrame}>
      <table className={styles.differences}>
        <thead>
          <tr>
            <th scope="col">Where</th>
            <th scope="col">First</th>
            <th scope="col">Second</th>
          </tr>
        </thead>
        <tbody>
          {list.map((difference) => (
            <tr key={difference.pointer} data-kind={difference.kind}>
              <th scope="row">
                <span className={styles.kind} title={capital(difference.kind)}>
                  {signs[difference.kind]}
                  <span className="visually-hidden"> {difference.kind}</span>
                </span>
                <code>{difference.pointer || "all of it"}</code>
              </th>
              <td data-label="First">
                <Value value={difference.before} missing={difference.kind === "added"} />
              </td>
              <td data-label="Second">
                <Value value={difference.after} missing={difference.kind === "removed"} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How much of a value is shown, in characters. */
const size = 400;

function Value({ value, missing }: { value: unknown; missing: boolean }) {
  if (missing) return <span className={styles.more}>not there</span>;
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 1);
  return <code className={styles.value}>{text.length > size ? `${text.slice(0, size)}…` : text}</code>;
}
