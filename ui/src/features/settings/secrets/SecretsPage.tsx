import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2, Vault } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { accountKeys, deleteSecret, secretsQuery, secretUsageQuery } from "../../../api/accounts";
import { useMay } from "../../../api/role";
import { AlertDialog } from "../../../components/AlertDialog";
import { Button, IconButton } from "../../../components/Button";
import { Card } from "../../../components/Card";
import { CopyButton } from "../../../components/CopyButton";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { SkeletonRows } from "../../../components/SkeletonRows";
import { Cell, type Column, RowActions, Table } from "../../../components/Table";
import { Ago } from "../../../components/Time";
import { toast } from "../../../components/toast";
import { count } from "../../../lib/text";
import forms from "../forms.module.css";
import { SettingsFrame } from "../SettingsFrame";
import { SecretDialog } from "./SecretDialog";

const columns: readonly Column[] = [
  { id: "name", label: "Name" },
  { id: "reference", label: "Steps refer to it as" },
  { id: "set", label: "Set" },
  { id: "actions", label: "Actions", hidden: true, shrink: true },
];

/** How many names of workflows are listed before they are only counted. */
const most = 6;

/** Which workflows fail without the secret. */
function Usage({ name }: { name: string }) {
  const usage = useQuery(secretUsageQuery(name));
  if (usage.error) return <p>Which workflows use it could not be found out.</p>;
  if (!usage.data) return <p>Looking which workflows use it…</p>;
  if (usage.data.length === 0) return <p>No stored workflow refers to it.</p>;
  return (
    <>
      <p>
        {count(usage.data.length, "workflow")} {usage.data.length === 1 ? "refers" : "refer"} to it, and{" "}
        {usage.data.length === 1 ? "fails" : "fail"} at that step from then on:
      </p>
      <ul className={forms.plain}>
        {usage.data.slice(0, most).map(({ workflow_id, workflow_name, steps }) => (
          <li key={workflow_id}>
            <Link href={`/workflows/${encodeURIComponent(workflow_id)}`}>{workflow_name}</Link>
            {steps.length > 0 && `: ${steps.map((step) => step.step_name || step.step_id).join(", ")}`}
          </li>
        ))}
        {usage.data.length > most && <li>and {usage.data.length - most} more</li>}
      </ul>
    </>
  );
}

function useDeletion() {
  const queries = useQueryClient();
  const [name, setName] = useState<string>();
  const [open, setOpen] = useState(false);
  const deletion = useMutation({
    mutationFn: deleteSecret,
    onSuccess: (_, name) => {
      setOpen(false);
      toast({ title: `“${name}” is deleted`, kind: "success" });
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: accountKeys.secrets }),
  });
  return {
    ask: (name: string) => {
      deletion.reset();
      setName(name);
      setOpen(true);
    },
    dialog: (
      <AlertDialog
        open={open}
        onOpenChange={setOpen}
        title={`Delete “${name ?? ""}”?`}
        confirm="Delete secret"
        busyText="Deleting…"
        busy={deletion.isPending}
        onConfirm={() => name && deletion.mutate(name)}
      >
        <p>Its value is gone for good.</p>
        {open && name && <Usage name={name} />}
        {deletion.error && <ErrorNotice error={deletion.error} doing="The secret could not be deleted" />}
      </AlertDialog>
    ),
  };
}

function Secrets({ onSet }: { onSet: (name?: string) => void }) {
  const list = useQuery(secretsQuery);
  const deletion = useDeletion();
  if (list.error && !list.data) {
    return (
      <ErrorNotice
        error={list.error}
        doing="The secrets could not be loaded"
        onRetry={() => void list.refetch()}
        retrying={list.isFetching}
      />
    );
  }
  return (
    <Card title={list.data ? count(list.data.length, "secret") : "Secrets"}>
      {list.data?.length === 0 ? (
        <EmptyState
          icon={<Vault />}
          title="No secret is set"
          actions={
            <Button icon={<Plus />} onClick={() => onSet()}>
              New secret
            </Button>
          }
        >
          Passwords and tokens that steps need stand here, and not in workflows.
        </EmptyState>
      ) : (
        <Table label="Secrets" columns={columns} busy={!list.data}>
          {list.data ? (
            list.data.map(({ name, updated_at }) => (
              <tr key={name}>
                <Cell className={forms.name}>{name}</Cell>
                <Cell label="Steps refer to it as">
                  <code className={forms.reference}>{`\${secrets.${name}}`}</code>
                </Cell>
                <Cell label="Set">
                  <Ago time={updated_at} />
                </Cell>
                <Cell shrink>
                  <RowActions>
                    <CopyButton iconOnly label={`Copy the reference to ${name}`} text={`\${secrets.${name}}`} />
                    <Button size="small" aria-label={`Replace ${name}`} onClick={() => onSet(name)}>
                      Replace…
                    </Button>
                    <IconButton
                      size="small"
                      label={`Delete ${name}`}
                      icon={<Trash2 />}
                      onClick={() => deletion.ask(name)}
                    />
                  </RowActions>
                </Cell>
              </tr>
            ))
          ) : (
            <SkeletonRows columns={columns} rows={3} />
          )}
        </Table>
      )}
      {deletion.dialog}
    </Card>
  );
}

/** What steps need and nobody may read. */
export default function SecretsPage() {
  const admin = useMay("secrets");
  const known = useQuery({ ...secretsQuery, enabled: admin }).data?.map(({ name }) => name) ?? [];
  const [setting, setSetting] = useState<{ name?: string; number: number }>();
  const [open, setOpen] = useState(false);
  const set = (name?: string) => {
    setSetting((before) => ({ name, number: (before?.number ?? 0) + 1 }));
    setOpen(true);
  };
  return (
    <SettingsFrame
      title="Secrets"
      subtitle="What steps need and nobody may read: only names are shown"
      right="secrets"
      actions={
        <Button kind="primary" icon={<Plus />} onClick={() => set()}>
          New secret
        </Button>
      }
    >
      {admin && <Secrets onSet={set} />}
      {setting && (
        <SecretDialog
          key={setting.number}
          open={open}
          name={setting.name}
          known={known}
          onOpenChange={setOpen}
          onClosed={() => setSetting(undefined)}
        />
      )}
    </SettingsFrame>
  );
}
