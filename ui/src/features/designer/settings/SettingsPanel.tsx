import { useDesignerState } from "../context";

/** The settings of the selected step. */
export function SettingsPanel() {
  const [id] = useDesignerState((state) => state.selection);
  return <p>{id ?? "No step selected"}</p>;
}
