import { Braces, Copy, Ellipsis, Eye, FileText, History, Pencil, ScrollText, Trash2 } from "lucide-react";
import { useLocation } from "wouter";
import { useMay, useWhyNot } from "../../api/role";
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
  const mayNot = useWhyNot("edit");
  const auditor = useMay("audit");
  const path = encodeURIComponent(workflow.id);
  return (
    <Menu
      trigger={<IconButton label={`More actions for ${workflow.name}`} icon={<Ellipsis />} bordered={own} />}
      groups={[
        [
          !own && { id: "view", label: "View", icon: <Eye />, onSelect: () => go(`/workflows/${path}`) },
          !own && !mayNot && { id: "edit", label: "Edit", icon: <Pencil />, onSelect: () => go(`/designer/${path}`) },
          {
            id: "duplicate",
            label: "Duplicate",
            icon: <Copy />,
            disabled: mayNot !== undefined,
            hint: mayNot,
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
          auditor && {
            id: "audit",
            label: "Audit trail",
            icon: <ScrollText />,
            onSelect: () => go(`/audit?object=${encodeURIComponent(`workflows/${workflow.id}`)}`),
          },
        ],
        [
          {
            id: "delete",
            label: "Delete…",
            icon: <Trash2 />,
            danger: mayNot === undefined,
            disabled: mayNot !== undefined,
            hint: mayNot,
            onSelect: () => actions.askDelete(workflow),
          },
        ],
      ]}
    />
  );
}
