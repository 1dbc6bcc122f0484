import { useRunAnnounced } from "../run/useRunAnnounced";
import { useRunPage } from "./context";

/** Says how the run goes on. */
export function Announcements() {
  useRunAnnounced(useRunPage().run.result);
  return null;
}
