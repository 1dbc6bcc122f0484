import { useQuery } from "@tanstack/react-query";
import { ArrowLeft, Play } from "lucide-react";
import { type FocusEvent, type KeyboardEvent, useMemo, useRef, useState } from "react";
import { type Preview, planExecution, startExecution } from "../../api/actions";
import { ApiError } from "../../api/client";
import { workflowQuery, workspacesQuery } from "../../api/queries";
import type { Parameter, StepDefinition } from "../../api/types";
import { keysText } from "../../app/shortcuts";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Field, fieldStyles } from "../../components/Field";
import { isWithin } from "../../lib/pointer";
import { focusField } from "../schema-form/focus";
import { SchemaForm } from "../schema-form/SchemaForm";
import styles from "./LaunchDialog.module.css";
import { PlanView } from "./PlanView";
import {
  checkParameters,
  firstValues,
  formSchema,
  type ParameterProblem,
  recall,
  remember,
  sentValues,
  type Values,
} from "./parameters";
import { StepChoice } from "./StepChoice";

interface LaunchDialogProps {
  workflow: { id: string; name: string; revision: number; parameters?: Parameter[] };
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** After the start. */
  onStarted?: (executionId: string) => void;
  /** Saves first; false where that failed, and nothing is started. */
  before?: () => Promise<boolean>;
}

/** Asks for an execution's parameters, shows what it would do, and starts it. */
export default function LaunchDialog(props: LaunchDialogProps) {
  // What was typed goes with the dialog: the next one begins anew.
  const [opened, setOpened] = useState(0);
  const [was, setWas] = useState(props.open);
  if (props.open !== was) {
    setWas(props.open);
    if (props.open) setOpened(opened + 1);
  }
  return <Launch key={opened} {...props} />;
}

const noParameters: Parameter[] = [];
const noSteps: StepDefinition[] = [];

/** The state of one open dialog. */
function useLaunch({ workflow, onOpenChange, onStarted, before }: LaunchDialogProps) {
  const parameters = workflow.parameters ?? noParameters;
  const [values, setValues] = useState<Values>(() => firstValues(parameters, recall(workflow.id)));
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState<ParameterProblem[]>([]);
  const [workspace, setWorkspace] = useState("");
  const [skipped, setSkipped] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState<"start" | "plan" | null>(null);
  const [failure, setFailure] = useState<{ error: unknown; doing: string }>();
  const [plan, setPlan] = useState<Preview>();
  const form = useRef<HTMLFormElement>(null);

  const found = useMemo(() => checkParameters(parameters, values), [parameters, values]);
  const problems = useMemo(
    () => [...(tried ? found : found.filter(({ pointer }) => touched.has(pointer))), ...refused],
    [found, tried, touched, refused],
  );
  const options = { workspace: workspace || undefined, skipSteps: skipped.size > 0 ? [...skipped] : undefined };

  const focusFirst = (wrong: readonly ParameterProblem[]) => {
    requestAnimationFrame(() => {
      if (form.current && wrong[0]) focusField(form.current, wrong[0].pointer);
    });
  };
  /** Does something with the values, once they are right. */
  const attempt = async (kind: "start" | "plan", doing: string, act: (sent: Values) => Promise<void>) => {
    if (busy) return;
    setTried(true);
    setFailure(undefined);
    if (found.length > 0) {
      setPlan(undefined);
      focusFirst(found);
      return;
    }
    setBusy(kind);
    try {
      await act(sentValues(parameters, values));
    } catch (error) {
      const wrong = refusedFields(error, parameters);
      setRefused(wrong);
      setFailure({ error, doing });
      if (wrong.length > 0) {
        setPlan(undefined);
        focusFirst(wrong);
      }
    } finally {
      setBusy(null);
    }
  };
  return {
    ...{
      parameters,
      values,
      problems,
      workspace,
      setWorkspace,
      skipped,
      setSkipped,
      busy,
      failure,
      plan,
      setPlan,
      form,
    },
    change: (next: Values) => {
      setRefused([]);
      setValues(next);
    },
    touch: (pointer: string) => setTouched(new Set([...touched, pointer])),
    start: () =>
      attempt("start", "The execution could not be started", async (sent) => {
        if (before && !(await before())) return;
        const { execution_id } = await startExecution(workflow.id, sent, options);
        remember(workflow.id, parameters, values);
        onOpenChange(false);
        onStarted?.(execution_id);
      }),
    preview: () =>
      attempt("plan", "The preview could not be made", async (sent) => {
        setPlan(await planExecution(workflow.id, sent, options));
      }),
  };
}

/** The server's problems that belong to a field of the form. */
function refusedFields(error: unknown, parameters: readonly Parameter[]): ParameterProblem[] {
  if (!(error instanceof ApiError)) return [];
  return error.items
    .filter(({ pointer }) => isWithin(pointer, "/parameters"))
    .map(({ pointer, message }) => ({ pointer: pointer.slice("/parameters".length), message }))
    .filter(({ pointer }) => parameters.some(({ name }) => isWithin(pointer, `/${name}`)));
}

function Launch(props: LaunchDialogProps) {
  const { workflow, open, onOpenChange, before } = props;
  const launch = useLaunch(props);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    void launch.start();
  };
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => (launch.busy === "start" ? undefined : onOpenChange(next))}
      title={launch.plan ? `What executing “${workflow.name}” would do` : `Execute “${workflow.name}”`}
      description={describe(workflow.revision, before !== undefined, launch.plan !== undefined)}
      width={launch.plan ? "large" : "medium"}
      onKeyDown={onKeyDown}
      actions={
        <>
          {launch.plan ? (
            <Button className={styles.aside} icon={<ArrowLeft />} onClick={() => launch.setPlan(undefined)}>
              Back
            </Button>
          ) : (
            <Button className={styles.aside} busy={launch.busy === "plan"} onClick={() => void launch.preview()}>
              {before ? "Preview the saved version" : "Preview"}
            </Button>
          )}
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button
            kind="primary"
            icon={<Play />}
            busy={launch.busy === "start"}
            title={keysText("Mod+Enter")}
            onClick={() => void launch.start()}
          >
            {before ? "Save and execute" : "Execute"}
          </Button>
        </>
      }
    >
      {launch.failure && <ErrorNotice error={launch.failure.error} doing={launch.failure.doing} />}
      {launch.plan ? <PlanView plan={launch.plan} /> : <LaunchForm workflow={workflow} launch={launch} />}
    </Dialog>
  );
}

function describe(revision: number, unsaved: boolean, planned: boolean): string {
  if (planned) return `Nothing has been done yet. This is version ${revision}.`;
  if (unsaved) return `Your changes are saved as a new version first, which is then executed.`;
  return `Version ${revision}.`;
}

interface LaunchFormProps {
  workflow: LaunchDialogProps["workflow"];
  launch: ReturnType<typeof useLaunch>;
}

function LaunchForm({ workflow, launch }: LaunchFormProps) {
  const { parameters, values, problems } = launch;
  const schema = useMemo(() => formSchema(parameters), [parameters]);
  const { data: workspaces = [] } = useQuery(workspacesQuery);
  const { data: stored } = useQuery(workflowQuery(workflow.id));
  const onBlur = (event: FocusEvent) => {
    const pointer = (event.target as HTMLElement).dataset.pointer;
    if (pointer) launch.touch(pointer);
  };
  return (
    <form
      className={styles.form}
      ref={launch.form}
      aria-label="Parameters"
      noValidate
      onBlur={onBlur}
      onSubmit={(event) => event.preventDefault()}
    >
      {parameters.length === 0 && <p className={styles.none}>This workflow asks for no parameters.</p>}
      {parameters.length > 0 && (
        <SchemaForm schema={schema} value={values} problems={problems} onChange={launch.change} />
      )}
      {workspaces.length > 1 && (
        <Field label="Workspace" hint="The folder that the steps work in.">
          {(control) => (
            <select
              {...control}
              className={fieldStyles.control}
              value={launch.workspace}
              onChange={(event) => launch.setWorkspace(event.target.value)}
            >
              {workspaces.map(({ name, git, default: isDefault }) => (
                <option key={name} value={isDefault ? "" : name}>
                  {name}
                  {git?.branch ? ` (${git.branch})` : ""}
                  {isDefault ? ", default" : ""}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <StepChoice steps={stored?.steps ?? noSteps} skipped={launch.skipped} onChange={launch.setSkipped} />
    </form>
  );
}
