import { type RefObject, useMemo, useRef } from "react";
import { Dialog } from "../../../components/Dialog";
import { edgeId, inOrder } from "../../graph/elements";
import { lookOf, useHandlers } from "../../graph/handlers";
import { HandlerIcon } from "../../graph/icons";
import { useCommands } from "../commands";
import { useDesignerState } from "../context";
import { whyNotConnect } from "../model/commands";
import { type PickItem, PickList } from "../PickList";
import { useView, useViewStore } from "../view";

interface ChoicesProps {
  from: string;
  onDone: () => void;
  field: RefObject<HTMLInputElement | null>;
}

/** Every other step: those that wait for this one first, to be parted from it; the others with the reason where they can't. */
function Choices({ from, onDone, field }: ChoicesProps) {
  const document = useDesignerState((state) => state.document);
  const handlers = useHandlers();
  const commands = useCommands();
  const items = useMemo(() => {
    const all = inOrder(document.steps).filter((step) => step.id !== from);
    const item = (step: (typeof all)[number]): PickItem => {
      const look = lookOf(step, handlers);
      return {
        id: step.id,
        label: look.title,
        hint: step.id,
        icon: <HandlerIcon name={look.icon} size={16} />,
        words: step.handler,
      };
    };
    const waits = all.filter((step) => step.dependencies?.includes(from));
    const others = all
      .filter((step) => !waits.includes(step))
      .map((step) => ({ step, refused: whyNotConnect(document, from, step.id) ?? undefined }));
    return [
      ...others
        .filter(({ refused }) => !refused)
        .map(({ step }) => ({ ...item(step), group: "Can wait for it", aside: "Connect" })),
      ...waits.map((step) => ({ ...item(step), group: "Wait for it", aside: "Disconnect" })),
      ...others
        .filter(({ refused }) => refused)
        .map(({ step, refused }) => ({ ...item(step), group: "Can't wait for it", refused })),
    ];
  }, [document, handlers, from]);
  return (
    <PickList
      label="Search steps"
      items={items}
      nothing="No step matches."
      field={field}
      onPick={(to) => {
        if (document.steps.find((step) => step.id === to)?.dependencies?.includes(from)) {
          commands.disconnect(edgeId(from, to));
        } else commands.connect(from, to);
        onDone();
      }}
    />
  );
}

/** "Connect to…": what drawing a connection does, from a list. */
export function ConnectDialog() {
  const view = useViewStore();
  const from = useView((state) => state.connectFrom);
  const kept = useRef("");
  const field = useRef<HTMLInputElement>(null);
  if (from !== null) kept.current = from;
  const close = () => view.getState().set({ connectFrom: null });
  return (
    <Dialog
      open={from !== null}
      onOpenChange={(open) => !open && close()}
      title={`Connect “${kept.current}” to…`}
      description="The step that you choose waits for this one."
      width="small"
      initialFocus={field}
    >
      <Choices from={kept.current} onDone={close} field={field} />
    </Dialog>
  );
}
