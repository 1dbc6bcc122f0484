import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { serversOwn, setAccess, usersQuery } from "../../api/accounts";
import { accountQuery, keys } from "../../api/queries";
import { useMay } from "../../api/role";
import type { StoredWorkflow } from "../../api/types";
import { useAnnounced } from "../../components/announce";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Field, fieldStyles } from "../../components/Field";
import { Select } from "../../components/Select";
import { toast } from "../../components/toast";
import styles from "./Sharing.module.css";
import { type Visibility, visibilities } from "./sharing";

const losesText = "You will not see this workflow any more, and can't take that back.";

interface SharingDialogProps {
  workflow: StoredWorkflow;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Says whose a workflow is, and who may see it. */
export default function SharingDialog({ workflow, open, onOpenChange }: SharingDialogProps) {
  const queries = useQueryClient();
  const form = useId();
  const list = useId();
  const account = useQuery(accountQuery).data;
  const admin = useMay("accounts");
  const users = useQuery({ ...usersQuery, enabled: admin }).data;
  const [visibility, setVisibility] = useState<Visibility>(workflow.visibility);
  const [team, setTeam] = useState(workflow.team);
  const [owner, setOwner] = useState(workflow.owner);
  const [tried, setTried] = useState(false);
  const teams = [...new Set([...(account?.teams ?? []), ...(users ?? []).flatMap((user) => user.teams)])].sort();
  const lacksTeam = visibility === "team" && team.trim() === "";
  // Who gives it away, or hides it from themselves, can't take that back.
  const loses =
    !admin &&
    owner.trim() !== account?.user &&
    (visibility === "private" || (visibility === "team" && !account?.teams.includes(team.trim())));
  useAnnounced(loses ? losesText : "");
  const save = useMutation({
    mutationFn: () =>
      setAccess(workflow.id, { visibility, team: team.trim().toLowerCase(), owner: owner.trim().toLowerCase() }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: keys.workflow(workflow.id) });
      void queries.invalidateQueries({ queryKey: keys.workflows });
      toast({ title: "It is shared so now", kind: "success" });
      onOpenChange(false);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (save.isPending) return;
    setTried(true);
    if (!lacksTeam) save.mutate();
  };
  const names = [
    ...new Set([workflow.owner, account?.user ?? "", serversOwn, ...(users ?? []).map(({ name }) => name)]),
  ];
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => !save.isPending && onOpenChange(next)}
      title={`Sharing of “${workflow.name}”`}
      description="For whoever may not see it, it, its executions and its triggers are not there. Administrators see all."
      width="small"
      actions={
        <>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button kind="primary" type="submit" form={form} busy={save.isPending}>
            Save
          </Button>
        </>
      }
    >
      <form id={form} className={styles.form} onSubmit={submit} noValidate>
        <fieldset className={styles.choices}>
          <legend>Who may see it</legend>
          {visibilities.map(({ value, label, hint }) => (
            <label key={value} className={styles.choice}>
              <input
                type="radio"
                name="visibility"
                value={value}
                checked={visibility === value}
                onChange={() => setVisibility(value)}
              />
              <span>
                {label}
                <span className={styles.hint}>{hint}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {visibility === "team" && (
          <Field label="Team" error={tried && lacksTeam && "Name the team that may see it."} required>
            {(control) => (
              <>
                <input
                  {...control}
                  className={fieldStyles.control}
                  list={list}
                  autoComplete="off"
                  autoCapitalize="none"
                  spellCheck={false}
                  maxLength={64}
                  value={team}
                  onChange={(event) => setTeam(event.target.value)}
                />
                <datalist id={list}>
                  {teams.map((each) => (
                    <option key={each} value={each} />
                  ))}
                </datalist>
              </>
            )}
          </Field>
        )}
        <Field label="Owner" hint="May see it always, and say who else may.">
          {(control) =>
            admin ? (
              <Select
                {...control}
                choices={names.filter(Boolean).map((value) => ({ value, label: value }))}
                value={owner}
                onChoose={setOwner}
              />
            ) : (
              <input
                {...control}
                className={fieldStyles.control}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                maxLength={64}
                value={owner}
                onChange={(event) => setOwner(event.target.value)}
              />
            )
          }
        </Field>
        {loses && <p className={styles.warning}>{losesText}</p>}
        {save.error && <ErrorNotice error={save.error} doing="The sharing could not be changed" />}
      </form>
    </Dialog>
  );
}
