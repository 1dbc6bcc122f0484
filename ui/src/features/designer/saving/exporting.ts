import { exportText } from "../../../api/queries";
import { fileName, saveText } from "../../../lib/download";

export type ExportFormat = "yaml" | "json";

/** Downloads the saved text of a workflow, byte for byte. */
export async function exportFile(id: string, name: string, format: ExportFormat): Promise<void> {
  saveText(fileName(name, format), await exportText(id, format), `application/${format}`);
}
