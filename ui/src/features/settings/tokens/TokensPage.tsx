import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { accountKeys, everybody, revokeToken, type Token, tokensQuery, usersQuery } from "../../../api/accounts";
import { accountQuery } from "../../../api/queries";
import { useMay } from "../../../api/role";
import { AlertDialog } from "../../../components/AlertDialog";
import { Badge } from "../../../components/Badge";
import { Button } from "../../../components/Button";
import { Card } from "../../../components/Card";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Select } from "../../../components/Select";
import { SkeletonRows } from "../../../components/SkeletonRows";
import { Cell, type Column, RowActions, Table } from "../../../components/Table";
import { Ago } from "../../../components/Time";
import { toast } from "../../../components/toast";
import { useUrl } from "../../../components/useUrl";
import { capital, count } from "../../../lib/text";
import { isSet } from "../../../lib/time";
import forms from "../forms.module.css";
import { SettingsFrame } from "../SettingsFrame";
import { TokenDialog } from "./TokenDialog";

const columns: readonly Column[] = [
  { id: "name", label: "Name" },
  { id: "owner", label: "Acts for" },
  { id: "role", label: "Role" },
  { id: "created", label: "Made" },
  { id: "expires", label: "Expires" },
  { id: "used", label: "Last used" },
  { id: "actions", label: "Actions", hidden: true, shrink: true },
];

const defaults = { of: "" };

function Expires({ token }: { token: Token }) {
  if (!isSet(token.expires_at)) return "Never";
  if (new Date(token.expires_at) <= new Date()) return <Badge tone="bad">Expired</Badge>;
  return <Ago time={token.expires_at} />;
}

function TokenRow({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  return (
    <tr>
      <Cell className={forms.name}>
        {token.name}
        <span className={forms.hint}>
          <code>{token.id}</code>
        </span>
      </Cell>
      <Cell label="Acts for">{token.owner}</Cell>
      <Cell label="Role">{capital(token.role)}</Cell>
      <Cell label="Made">
        <Ago time={token.created_at} />
      </Cell>
      <Cell label="Expires">
        <Expires token={token} />
      </Cell>
      <Cell label="Last used">{isSet(token.last_used) ? <Ago time={token.last_used} /> : "Never"}</Cell>
      <Cell shrink>
        <RowActions>
          <Button size="small" aria-label={`Revoke ${token.name}`} onClick={onRevoke}>
            Revoke…
          </Button>
        </RowActions>
      </Cell>
    </tr>
  );
}

/** For administrators: whose tokens are listed. */
function Owners({ value, onChoose }: { value: string; onChoose: (value: string) => void }) {
  const me = useQuery(accountQuery).data?.user;
  const users = useQuery(usersQuery).data ?? [];
  const others = users.map(({ name }) => name).filter((name) => name !== me);
  return (
    <Select
      className={forms.choose}
      aria-label="Whose tokens"
      value={value}
      onChoose={onChoose}
      choices={[
        { value: "", label: "Mine" },
        { value: everybody, label: "Everybody's" },
        ...others.map((name) => ({ value: name, label: `Of ${name}` })),
      ]}
    />
  );
}

function useRevoke() {
  const queries = useQueryClient();
  const [asked, setAsked] = useState<Token>();
  const [open, setOpen] = useState(false);
  const revoke = useMutation({
    mutationFn: ({ id }: Token) => revokeToken(id),
    onSuccess: (_, { name }) => {
      setOpen(false);
      toast({ title: `“${name}” is revoked`, kind: "success" });
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: accountKeys.tokens }),
  });
  return {
    ask: (token: Token) => {
      revoke.reset();
      setAsked(token);
      setOpen(true);
    },
    dialog: (
      <AlertDialog
        open={open}
        onOpenChange={setOpen}
        title={`Revoke “${asked?.name ?? ""}”?`}
        confirm="Revoke token"
        busyText="Revoking…"
        busy={revoke.isPending}
        onConfirm={() => asked && revoke.mutate(asked)}
      >
        <p>Programs that use it are refused from now on; what they have open is closed. This can't be taken back.</p>
        {revoke.error && <ErrorNotice error={revoke.error} doing="The token could not be revoked" />}
      </AlertDialog>
    ),
  };
}

/** Tokens with which programs use the API. */
export default function TokensPage() {
  const admin = useMay("accounts");
  const [{ of }, setUrl] = useUrl(defaults);
  const list = useQuery(tokensQuery(admin && of ? of : undefined));
  const [making, setMaking] = useState(0);
  const [open, setOpen] = useState(false);
  const revoke = useRevoke();
  const make = () => {
    setMaking(making + 1);
    setOpen(true);
  };
  return (
    <SettingsFrame
      title="API tokens"
      subtitle="With them programs use the API in your place"
      actions={
        <Button kind="primary" icon={<Plus />} onClick={make}>
          New token
        </Button>
      }
    >
      {list.error && !list.data && (
        <ErrorNotice
          error={list.error}
          doing="The tokens could not be loaded"
          onRetry={() => void list.refetch()}
          retrying={list.isFetching}
        />
      )}
      {(list.data || !list.error) && (
        <Card
          title={list.data ? count(list.data.length, "token") : "Tokens"}
          aside={admin && <Owners value={of} onChoose={(next) => setUrl({ of: next })} />}
        >
          {list.data?.length === 0 ? (
            <EmptyState
              icon={<KeyRound />}
              title={of ? "There is none" : "You have no API token"}
              actions={
                <Button icon={<Plus />} onClick={make}>
                  New token
                </Button>
              }
            >
              A token lets a program start workflows and read results, with a role that you choose.
            </EmptyState>
          ) : (
            <Table label="API tokens" columns={columns} busy={!list.data}>
              {list.data ? (
                list.data.map((token) => <TokenRow key={token.id} token={token} onRevoke={() => revoke.ask(token)} />)
              ) : (
                <SkeletonRows columns={columns} rows={3} />
              )}
            </Table>
          )}
        </Card>
      )}
      {making > 0 && <TokenDialog key={making} open={open} onOpenChange={setOpen} onClosed={() => setMaking(0)} />}
      {revoke.dialog}
    </SettingsFrame>
  );
}
