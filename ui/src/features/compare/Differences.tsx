import type { Schemas } from "../../api/client";
import { capital } from "../../lib/text";
import { LogText } from "../run/LogText";
import type { Shown } from "../run/shown";
import styles from "./ComparePage.module.css";

type Difference = Schemas["Difference"];

const signs = { added: "+", removed: "−", changed: "≠" } as const;

/** Where two values differ: the place, and what stands there in each. */
export function Differences({ list, shown }: { list: readonly Difference[]; shown: Shown }) {
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
                <Value value={difference.before} missing={difference.kind === "added"} shown={shown} />
              </td>
              <td data-label="Second">
                <Value value={difference.after} missing={difference.kind === "removed"} shown={shown} />
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

function Value({ value, missing, shown }: { value: unknown; missing: boolean; shown: Shown }) {
  if (missing) return <span className={styles.more}>not there</span>;
  const text = shown.text(typeof value === "string" ? value : JSON.stringify(value, null, 1));
  return (
    <code className={styles.value}>
      <LogText text={text.length > size ? `${text.slice(0, size)}…` : text} />
    </code>
  );
}
