import { GraphView } from "../../graph/GraphView";
import { useDesignerState } from "../context";

/** The workflow as a graph. */
export function Canvas() {
  const definition = useDesignerState((state) => state.document);
  return <GraphView definition={definition} label="Canvas" />;
}
