import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { UserPlus, Users } from "lucide-react";
import { useMemo, useState } from "react";
import { accountKeys, changeUser, deleteUser, serversOwn, type User, usersQuery } from "../../../api/accounts";
import { accountQuery } from "../../../api/queries";
import { useMay } from "../../../api/role";
import { AlertDialog } from "../../../components/AlertDialog";
import { Button } from "../../../components/Button";
import { Card } from "../../../components/Card";
import { Dialog } from "../../../components/Dialog";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { SearchField } from "../../../components/SearchField";
import { SkeletonRows } from "../../../components/SkeletonRows";
import { Cell, type Column, Table } from "../../../components/Table";
import { toast } from "../../../components/toast";
import { useUrl } from "../../../components/useUrl";
import { count, matches } from "../../../lib/text";
import { FirstAccount } from "../../first-account/FirstAccount";
import forms from "../forms.module.css";
import { Sessions } from "../Sessions";
import { SettingsFrame } from "../SettingsFrame";
import { AccountDialog } from "./AccountDialog";
import { AccountRow, type Asked } from "./AccountRow";
import { ResetDialog } from "./ResetDialog";

const columns: readonly Column[] = [
  { id: "name", label: "Name" },
  { id: "role", label: "Role" },
  { id: "teams", label: "Teams" },
  { id: "way", label: "Signs in" },
  { id: "state", label: "State" },
  { id: "changed", label: "Changed" },
  { id: "actions", label: "Actions", hidden: true, shrink: true },
];

const defaults = { q: "" };

/** The account that is in no list, so that nobody wonders who "admin" is. */
function ServersOwn() {
  return (
    <tr>
      <Cell className={forms.name}>
        {serversOwn}
        <span className={forms.hint}>The server's own account</span>
      </Cell>
      <Cell label="Role">Admin</Cell>
      <Cell label="Teams">–</Cell>
      <Cell label="Signs in">By the admin token, or a link from “vwmp open”</Cell>
      <Cell label="State">Always there</Cell>
      <Cell label="Changed">–</Cell>
      <Cell shrink />
    </tr>
  );
}

/** Disabling and deleting, each with its question; a refusal is told in the question. */
function useRemoval() {
  const queries = useQueryClient();
  const [asked, setAsked] = useState<{ what: "disable" | "delete"; user: User }>();
  const [open, setOpen] = useState(false);
  const act = useMutation({
    mutationFn: async ({ what, user }: { what: "disable" | "delete" | "enable"; user: User }) => {
      if (what === "delete") await deleteUser(user.name);
      else await changeUser(user.name, { disabled: what === "disable" });
    },
    onSuccess: (_, { what, user }) => {
      setOpen(false);
      toast({ title: `${user.name} is ${what === "delete" ? "deleted" : `${what}d`}`, kind: "success" });
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: accountKeys.users }),
  });
  const deletes = asked?.what === "delete";
  const name = asked?.user.name ?? "";
  return {
    ask: (what: "disable" | "delete", user: User) => {
      act.reset();
      setAsked({ what, user });
      setOpen(true);
    },
    enable: (user: User) => act.mutate({ what: "enable", user }),
    notice: !open && act.error && <ErrorNotice error={act.error} doing="The account could not be enabled" />,
    dialog: (
      <AlertDialog
        open={open}
        onOpenChange={setOpen}
        title={deletes ? `Delete ${name}?` : `Disable ${name}?`}
        confirm={deletes ? "Delete account" : "Disable account"}
        busyText={deletes ? "Deleting…" : "Disabling…"}
        busy={act.isPending}
        onConfirm={() => asked && act.mutate(asked)}
      >
        <p>
          {deletes
            ? "The account goes with its API tokens and sessions; what is open is closed. Its workflows and the history of what it did stay. This can't be taken back."
            : "It is signed out everywhere, and its API tokens do nothing until it is enabled again."}
        </p>
        {open && act.error && (
          <ErrorNotice
            error={act.error}
            doing={deletes ? "The account could not be deleted" : "The account could not be disabled"}
          />
        )}
      </AlertDialog>
    ),
  };
}

function Accounts({ onNew }: { onNew: () => void }) {
  const list = useQuery(usersQuery);
  const me = useQuery(accountQuery).data?.user;
  const [{ q }, setUrl] = useUrl(defaults);
  const [asked, setAsked] = useState<{ what: Asked; user: User }>();
  const [open, setOpen] = useState(false);
  const removal = useRemoval();
  const shown = useMemo(
    () => list.data?.filter((user) => matches(q.trim(), user.name, user.role, user.issuer, ...user.teams)),
    [list.data, q],
  );
  const ask = (what: Asked, user: User) => {
    if (what === "disable" || what === "delete") return removal.ask(what, user);
    setAsked({ what, user });
    setOpen(true);
  };
  const closed = () => setAsked(undefined);
  if (list.error && !list.data) {
    return (
      <ErrorNotice
        error={list.error}
        doing="The accounts could not be loaded"
        onRetry={() => void list.refetch()}
        retrying={list.isFetching}
      />
    );
  }
  return (
    <>
      {removal.notice}
      <FirstAccount always />
      <Card
        title={list.data ? count(list.data.length, "account") : "Accounts"}
        aside={
          list.data &&
          list.data.length > 5 && (
            <SearchField label="Search accounts" value={q} onChange={(next) => setUrl({ q: next })} />
          )
        }
      >
        <Table label="Accounts" columns={columns} busy={!list.data}>
          {shown ? (
            <>
              {shown.map((user) => (
                <AccountRow
                  key={user.name}
                  user={user}
                  own={user.name === me}
                  onAsk={(what) => ask(what, user)}
                  onEnable={() => removal.enable(user)}
                />
              ))}
              {matches(q.trim(), serversOwn) && <ServersOwn />}
            </>
          ) : (
            <SkeletonRows columns={columns} rows={3} />
          )}
        </Table>
        {shown?.length === 0 && q.trim() && !matches(q.trim(), serversOwn) && (
          <EmptyState
            icon={<Users />}
            title={`Nothing matches “${q.trim()}”`}
            actions={<Button onClick={() => setUrl(defaults)}>Clear</Button>}
          />
        )}
        {list.data?.length === 0 && (
          <EmptyState
            icon={<Users />}
            title="Nobody else has an account"
            actions={
              <Button icon={<UserPlus />} onClick={onNew}>
                New account
              </Button>
            }
          >
            Give each person one of their own: then the history says who did what.
          </EmptyState>
        )}
      </Card>
      {asked?.what === "edit" && (
        <AccountDialog key={asked.user.name} open={open} user={asked.user} onOpenChange={setOpen} onClosed={closed} />
      )}
      {asked?.what === "reset" && (
        <ResetDialog key={asked.user.name} open={open} user={asked.user} onOpenChange={setOpen} onClosed={closed} />
      )}
      {asked?.what === "sessions" && (
        <Dialog
          open={open}
          onOpenChange={setOpen}
          onClosed={closed}
          title={`Where ${asked.user.name} is signed in`}
          actions={<Button onClick={() => setOpen(false)}>Close</Button>}
        >
          <Sessions user={asked.user.name} />
        </Dialog>
      )}
      {removal.dialog}
    </>
  );
}

/** Who may sign in here, and what each may do. */
export default function AccountsPage() {
  const admin = useMay("accounts");
  const [making, setMaking] = useState(0);
  const [open, setOpen] = useState(false);
  const make = () => {
    setMaking(making + 1);
    setOpen(true);
  };
  return (
    <SettingsFrame
      title="Accounts"
      subtitle="Who may sign in here, and what each may do"
      right="accounts"
      actions={
        <Button kind="primary" icon={<UserPlus />} onClick={make}>
          New account
        </Button>
      }
    >
      {admin && <Accounts onNew={make} />}
      {making > 0 && <AccountDialog key={making} open={open} onOpenChange={setOpen} onClosed={() => setMaking(0)} />}
    </SettingsFrame>
  );
}
