import { exportText } from "../../../api/queries";
import { fileName, saveText } from "../../../lib/download";

/** Downloads the saved text of a workflow, byte for byte. */
export async function exportFile(id: string, name: string, format: "yaml" | "json"): Promise<void> {
  saveText(fileName(name, format), await exportText(id, format), `application/${format}`);
}
