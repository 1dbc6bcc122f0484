import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useRef, useState } from "react";
import { roleChoices, roleTexts } from "../../../api/accountRules";
import { accountKeys, createToken, type MadeToken, serversOwn, usersQuery } from "../../../api/accounts";
import { accountQuery } from "../../../api/queries";
import { includes, type Role, useMay } from "../../../api/role";
import type { Account } from "../../../api/types";
import { useAnnounced } from "../../../components/announce";
import { Button } from "../../../components/Button";
import { CopyButton } from "../../../components/CopyButton";
import { Dialog } from "../../../components/Dialog";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { Field, fieldStyles } from "../../../components/Field";
import { Select } from "../../../components/Select";
import { exactTime, isSet } from "../../../lib/time";
import forms from "../forms.module.css";

const day = 24 * 3600;
const lives = [
  { value: String(7 * day), label: "7 days" },
  { value: String(30 * day), label: "30 days" },
  { value: String(90 * day), label: "90 days" },
  { value: String(365 * day), label: "A year" },
  { value: "0", label: "Never" },
];

const copyIt = "Copy it now: it is not shown again. Whoever has it may do what it may.";

/** The token, this once. */
function Shown({ made }: { made: MadeToken }) {
  useAnnounced(copyIt, { opening: true });
  return (
    <div className={forms.form}>
      <p className={forms.warning}>{copyIt}</p>
      <code className={forms.secret}>{made.token}</code>
      <div className={forms.actions}>
        <CopyButton text={made.token} label="Copy token" />
      </div>
      <p>
        Programs send it as <code>Authorization: Bearer</code>. It acts for {made.owner} with the role {made.role}
        {isSet(made.expires_at) ? `, until ${exactTime(made.expires_at)}.` : ", until it is revoked."}
      </p>
    </div>
  );
}

interface FormProps {
  id: string;
  account: Account;
  onMade: (made: MadeToken) => void;
  onBusy: (busy: boolean) => void;
}

function Form({ id, account, onMade, onBusy }: FormProps) {
  const queries = useQueryClient();
  const admin = useMay("accounts");
  const users = useQuery({ ...usersQuery, enabled: admin }).data;
  const field = useRef<HTMLInputElement>(null);
  const [name, setName] = useState("");
  const [owner, setOwner] = useState(account.user);
  const [role, setRole] = useState<Role>(includes(account.role, "executor") ? "executor" : "viewer");
  const [life, setLife] = useState(String(90 * day));
  const [tried, setTried] = useState(false);
  const most = owner === account.user ? account.role : (users?.find((user) => user.name === owner)?.role ?? serversOwn);
  const choices = roleChoices.filter(({ value }) => includes(most, value));
  const owners = [
    ...new Set([account.user, ...(users ?? []).filter(({ disabled }) => !disabled).map((user) => user.name)]),
  ];
  const make = useMutation({
    mutationFn: () =>
      createToken({
        name: name.trim(),
        role,
        expires_in: Number(life),
        ...(owner !== account.user && { user: owner }),
      }),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: accountKeys.tokens });
      onMade(made);
    },
    onSettled: () => onBusy(false),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (make.isPending) return;
    setTried(true);
    if (name.trim() === "") return field.current?.focus();
    onBusy(true);
    make.mutate();
  };
  return (
    <form id={id} className={forms.form} onSubmit={submit} noValidate>
      <Field
        label="Name"
        hint="What it is for, such as the program that will have it."
        error={tried && name.trim() === "" && "Give a name."}
        required
      >
        {(control) => (
          <input
            {...control}
            ref={field}
            className={fieldStyles.control}
            autoComplete="off"
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      {admin && owners.length > 1 && (
        <Field label="Acts for" hint="What it does is written down as theirs.">
          {(control) => (
            <Select
              {...control}
              choices={owners.map((value) => ({ value, label: value === account.user ? `${value} (you)` : value }))}
              value={owner}
              onChoose={(next) => {
                setOwner(next);
                const theirs = users?.find((user) => user.name === next)?.role;
                if (theirs && !includes(theirs, role)) setRole(theirs as Role);
              }}
            />
          )}
        </Field>
      )}
      <Field label="Role" hint={`${roleTexts[role]} Never more than the account may.`}>
        {(control) => <Select {...control} choices={choices} value={role} onChoose={(next) => setRole(next as Role)} />}
      </Field>
      <Field label="Expires" hint={life === "0" ? "A token that never expires has to be revoked by hand." : undefined}>
        {(control) => <Select {...control} choices={lives} value={life} onChoose={setLife} />}
      </Field>
      {make.error && <ErrorNotice error={make.error} doing="The token could not be made" />}
    </form>
  );
}

interface TokenDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onClosed: () => void;
}

/** Makes an API token and shows it once. */
export function TokenDialog({ open, onOpenChange, onClosed }: TokenDialogProps) {
  const account = useQuery(accountQuery).data;
  const form = useId();
  const [made, setMade] = useState<MadeToken>();
  const [busy, setBusy] = useState(false);
  return (
    <Dialog
      open={open}
      // What is shown once must not go by a click beside it.
      onOpenChange={(next, details) => {
        if (!busy && !(made && details?.reason === "outside-press")) onOpenChange(next);
      }}
      onClosed={onClosed}
      title={made ? `The token “${made.name}”` : "New API token"}
      description={made ? undefined : "For a program that uses the API in the place of a person."}
      width="small"
      actions={
        made ? (
          <Button kind="primary" onClick={() => onOpenChange(false)}>
            I have copied it
          </Button>
        ) : (
          <>
            <Button onClick={() => onOpenChange(false)}>Cancel</Button>
            <Button kind="primary" type="submit" form={form} busy={busy}>
              Make token
            </Button>
          </>
        )
      }
    >
      {made ? <Shown made={made} /> : account && <Form id={form} account={account} onMade={setMade} onBusy={setBusy} />}
    </Dialog>
  );
}
