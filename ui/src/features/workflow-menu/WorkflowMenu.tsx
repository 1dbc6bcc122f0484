import { Braces, Copy, Ellipsis, Eye, FileText, History, Pencil, Trash2 } from "lucide-react";
import { useLocation } from "wouter";
import { useMay } from "../../api/role";
import { IconButton } from "../../components/Button";
import { Menu } from "../../components/Menu";
import type { Deletable } from "./DeleteDialog";
import type { useWorkflowActions } from "./useWorkflowActions";

interface WorkflowMenuProps {
  workflow: Deletable;
  actions: ReturnType<typeof useWorkflowActions>;
  /** On the workflow's own page there is no way to it. */
  own?: boolean;
}

/** What else can be done with a workflow. */
export function WorkflowMenu({ workflow, actions, own }: WorkflowMenuProps) {
  const [, go] = useLocation();
  const editor = useMay("editor");
  const path = encodeURIComponent(workflow.id);
  return (
    <Menu
      trigger={<IconButton label={`More actions for ${workflow.name}`} icon={<Ellipsis />} bordered={own} />}
      groups={[
        [
          !own && { id: "view", label: "View", icon: <Eye />, onSelect: () => go(`/workflows/${path}`) },
          !own && editor && { id: "edit", label: "Edit", icon: <Pencil />, onSelect: () => go(`/designer/${path}`) },
          editor && {
            id: "duplicate",
            label: "Duplicate",
            icon: <Copy />,
            onSelect: () => void actions.duplicate(workflow),
          },
        ],
        [
          {
            id: "yaml",
            label: "Export as YAML",
            icon: <FileText />,
            onSelect: () => void actions.exportAs(workflow, "yaml"),
          },
          {
            id: "json",
            label: "Export as JSON",
            icon: <Braces />,
            onSelect: () => void actions.exportAs(workflow, "json"),
          },
          {
            id: "history",
            label: "Version history",
            icon: <History />,
            onSelect: () => go(`/workflows/${path}?show=versions`),
          },
        ],
        [
          editor && {
            id: "delete",
            label: "Delete…",
            icon: <Trash2 />,
            danger: true,
            onSelect: () => actions.askDelete(workflow),
          },
        ],
      ]}
    />
  );
}
