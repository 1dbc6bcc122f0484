import { useQuery } from "@tanstack/react-query";
import { PackageOpen, Search } from "lucide-react";
import { type DragEvent, type KeyboardEvent, memo, useMemo, useRef, useState } from "react";
import { handlersQuery } from "../../../api/queries";
import type { HandlerSummary } from "../../../api/types";
import { useAnnounced } from "../../../components/announce";
import { Button } from "../../../components/Button";
import { EmptyState } from "../../../components/EmptyState";
import { ErrorNotice } from "../../../components/ErrorNotice";
import { fieldStyles } from "../../../components/Field";
import { Loading } from "../../../components/Loading";
import { Skeleton } from "../../../components/Skeleton";
import { byRank, rankOf } from "../../../lib/ranking";
import { count, matches } from "../../../lib/text";
import { HandlerIcon } from "../../graph/icons";
import { draggedHandler } from "../canvas/dragged";
import { useCommands } from "../commands";
import { useDesignerStore } from "../context";
import { useRecentHandlers } from "../recent";
import { SidePanel } from "../SidePanel";
import { useView, useViewStore } from "../view";
import styles from "./Palette.module.css";

interface Group {
  name: string;
  handlers: HandlerSummary[];
}

const categoryOf = (handler: HandlerSummary) => handler.category || "Other";

/**
 * Handlers by category, both by name; those used last stand once more on top.
 * Where something is searched, what fits best comes first instead.
 */
export function groupHandlers(all: readonly HandlerSummary[], recent: readonly string[], query: string): Group[] {
  const found = all
    .filter((handler) =>
      matches(query, handler.name, handler.description, handler.path, handler.category, ...handler.tags),
    )
    .sort((a, b) => categoryOf(a).localeCompare(categoryOf(b)) || a.name.localeCompare(b.name));
  const searched = query.trim() !== "";
  const rank = (handler: HandlerSummary) =>
    rankOf(query, handler.name, handler.path, handler.tags.join("\n"), handler.description);
  const groups = new Map<string, HandlerSummary[]>();
  for (const handler of searched ? byRank(found, rank, categoryOf) : found) {
    const name = categoryOf(handler);
    groups.set(name, [...(groups.get(name) ?? []), handler]);
  }
  const sorted = [...groups].map(([name, handlers]) => ({ name, handlers }));
  const latest = searched ? [] : recent.flatMap((path) => found.find((handler) => handler.path === path) ?? []);
  return latest.length > 0 ? [{ name: "Recently used", handlers: latest }, ...sorted] : sorted;
}

/** Tells the entries apart: one that was used lately stands in two groups. */
const placeOf = (group: Group, handler: HandlerSummary) => `${group.name}/${handler.path}`;

interface ItemProps {
  handler: HandlerSummary;
  place: string;
  /** Tab stops here. */
  stop: boolean;
  onStop: (place: string) => void;
  onAdd: (path: string) => void;
}

const Item = memo(function Item({ handler, place, stop, onStop, onAdd }: ItemProps) {
  const onDragStart = (event: DragEvent) => {
    event.dataTransfer.setData(draggedHandler, handler.path);
    event.dataTransfer.effectAllowed = "copy";
  };
  return (
    <li>
      <button
        type="button"
        className={styles.item}
        tabIndex={stop ? 0 : -1}
        onFocus={() => onStop(place)}
        title={`${handler.path}, from the plugin ${handler.plugin}\n${handler.description}`}
        draggable
        onDragStart={onDragStart}
        onClick={() => onAdd(handler.path)}
      >
        <span className={styles.icon}>
          <HandlerIcon name={handler.icon} size={16} />
        </span>
        <span className={styles.texts}>
          <span className={styles.name}>{handler.name}</span>
          {handler.description && <span className={styles.description}>{handler.description}</span>}
        </span>
      </button>
    </li>
  );
});

/** Arrows go from entry to entry: Tab stops at one of them only, so that a long palette is no long way to the canvas. */
function walkEntries(event: KeyboardEvent<HTMLElement>): void {
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (by === 0) return;
  const entries = [...event.currentTarget.querySelectorAll<HTMLElement>("input, li button")];
  const next = entries[entries.indexOf(document.activeElement as HTMLElement) + by];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function Content() {
  const store = useDesignerStore();
  const view = useViewStore();
  const commands = useCommands();
  const recent = useRecentHandlers();
  const { data, error, isPending, isFetching, refetch } = useQuery(handlersQuery);
  const [query, setQuery] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const groups = useMemo(() => groupHandlers(data ?? [], recent, query), [data, recent, query]);
  const [held, setHeld] = useState("");
  const places = groups.flatMap((group) => group.handlers.map((handler) => placeOf(group, handler)));
  const stop = places.includes(held) ? held : places[0];
  const shown = groups.reduce((sum, group) => sum + (group.name === "Recently used" ? 0 : group.handlers.length), 0);
  useAnnounced(query.trim() ? `${count(shown, "step")} found` : "");

  const add = (path: string) => {
    const { selection } = store.getState();
    const [after] = selection.size === 1 ? selection : [];
    const id = commands.add(path, { after });
    if (id !== null) view.getState().canvas?.reveal(id, { centre: false });
  };
  const latest = useRef(add);
  latest.current = add;
  const [onAdd] = useState(() => (path: string) => latest.current(path));

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only moves the focus among the buttons in it.
    <div className={styles.palette} onKeyDown={walkEntries}>
      <div className={styles.search}>
        <Search size={16} aria-hidden="true" />
        <input
          ref={field}
          className={fieldStyles.control}
          type="search"
          aria-label="Search steps"
          placeholder="Search steps"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            const first = groups[0]?.handlers[0];
            if (event.key === "Enter" && query.trim() && first) add(first.path);
            if (event.key === "Escape") setQuery("");
          }}
        />
      </div>
      <div className={styles.groups}>
        {isPending && (
          <Loading label="Loading the steps" className={styles.loading}>
            {[1, 2, 3, 4, 5].map((n) => (
              <Skeleton key={n} height={40} />
            ))}
          </Loading>
        )}
        {error && !data && (
          <ErrorNotice
            error={error}
            doing="The steps could not be loaded"
            onRetry={() => void refetch()}
            retrying={isFetching}
          />
        )}
        {data && shown === 0 && (
          <EmptyState
            icon={<PackageOpen />}
            title={query.trim() ? `Nothing matches “${query.trim()}”` : "No steps"}
            actions={query.trim() && <Button onClick={() => setQuery("")}>Clear the search</Button>}
          >
            {query.trim() ? null : "Steps come with plugins. None is loaded."}
          </EmptyState>
        )}
        {groups.map((group) => (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms.
          <div key={group.name} role="group" aria-label={group.name}>
            <h2 className={styles.group}>{group.name}</h2>
            <ul>
              {group.handlers.map((handler) => (
                <Item
                  key={handler.path}
                  handler={handler}
                  place={placeOf(group, handler)}
                  stop={placeOf(group, handler) === stop}
                  onStop={setHeld}
                  onAdd={onAdd}
                />
              ))}
            </ul>
          </div>
        ))}
      </div>
    </div>
  );
}

/** The step handlers that can be added, by drag, click or Enter. */
export function Palette() {
  const view = useViewStore();
  const open = useView((state) => state.palette);
  return (
    <SidePanel
      side="left"
      label="Palette"
      name="palette"
      width={{ first: 260, least: 200, most: 420 }}
      open={open}
      onOpenChange={(palette) => view.getState().set({ palette })}
    >
      <Content />
    </SidePanel>
  );
}
