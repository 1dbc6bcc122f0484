import {
  CopyPlus,
  FileDown,
  FileInput,
  LayoutTemplate,
  ListChecks,
  MessageSquareText,
  MoreHorizontal,
} from "lucide-react";
import { useLocation } from "wouter";
import { useWhyNot } from "../../../api/role";
import { keysHint } from "../../../app/shortcuts";
import { IconButton } from "../../../components/Button";
import { Menu } from "../../../components/Menu";
import { useDesignerState } from "../context";
import { useViewStore } from "../view";
import { useSavingSession, useUnsaved } from "./useSaving";

/** The rarer things to do with the workflow as a whole. */
export function MoreMenu() {
  const session = useSavingSession();
  const { id } = useDesignerState((state) => state.saved);
  const unsaved = useUnsaved();
  const mayNotEdit = useWhyNot("edit");
  const mayNotRun = useWhyNot("run");
  const view = useViewStore();
  const ask = (dialog: "launch" | "note" | "import") => view.getState().set({ dialog });
  const [, go] = useLocation();
  const hint =
    id === null ? "Save it first." : unsaved ? "As it was saved last; unsaved changes are not in it." : undefined;
  return (
    <Menu
      trigger={<IconButton label="More" icon={<MoreHorizontal />} />}
      groups={[
        [
          {
            id: "preview",
            label: "Preview an execution…",
            icon: <ListChecks />,
            disabled: id === null || mayNotRun !== undefined,
            hint: mayNotRun ?? (id === null ? "Save it first." : undefined),
            onSelect: () => ask("launch"),
          },
        ],
        [
          {
            id: "note",
            label: "Save with a note…",
            icon: <MessageSquareText />,
            disabled: mayNotEdit !== undefined || (id !== null && !unsaved),
            hint: mayNotEdit,
            onSelect: () => ask("note"),
          },
          {
            id: "copy",
            label: "Save as copy…",
            icon: <CopyPlus />,
            disabled: mayNotEdit !== undefined,
            onSelect: () => session.askCopy(true),
          },
        ],
        [
          {
            id: "import",
            label: "Import…",
            icon: <FileInput />,
            disabled: mayNotEdit !== undefined,
            onSelect: () => ask("import"),
          },
          {
            id: "yaml",
            label: "Export YAML",
            icon: <FileDown />,
            disabled: id === null,
            hint,
            onSelect: () => void session.exportSaved("yaml"),
          },
          {
            id: "json",
            label: "Export JSON",
            icon: <FileDown />,
            disabled: id === null,
            onSelect: () => void session.exportSaved("json"),
          },
        ],
        [
          !mayNotEdit && {
            id: "new",
            label: "New workflow…",
            icon: <LayoutTemplate />,
            keys: keysHint("N"),
            onSelect: () => go("/designer"),
          },
        ],
      ]}
    />
  );
}
