import { useSyncExternalStore } from "react";
import { announcements, type Manner } from "./announce";

/**
 * The two places that screen readers listen to. They stand once, beside everything else and before anything is said:
 * what comes into the page together with its text is often not read.
 */
export function LiveRegions() {
  const all = useSyncExternalStore(announcements.subscribe, announcements.get);
  const region = (manner: Manner) => (
    <div className="visually-hidden" aria-live={manner} aria-atomic="false" aria-relevant="additions">
      {all.map((each) => each.manner === manner && <p key={each.id}>{each.text}</p>)}
    </div>
  );
  return (
    <>
      {region("polite")}
      {region("assertive")}
    </>
  );
}
