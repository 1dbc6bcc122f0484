import { useEffect, useRef } from "react";
import { client, NetworkError, take } from "../../../api/client";
import type { Definition } from "../../../api/types";
import { useHandlers } from "../../graph/handlers";
import { useDesignerStore } from "../context";
import { groupByStep, type Problem, type ProblemsStore, problemsOf } from "../problems";
import { join, sameButForPlaces, type Verdict } from "./join";

type PageChecker = ReturnType<typeof import("./page").createPageChecker>;

/** How long after the last edit the server is asked, in milliseconds. */
const pause = 150;
/** How long a first try that failed waits for another. */
const retryAfter = 5_000;

function publish(store: ProblemsStore, problems: Problem[], checked: boolean): void {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  store.setState((before) => ({
    problems,
    byStep: groupByStep(problems, before.byStep),
    errors,
    warnings: problems.length - errors,
    checked,
  }));
}

function askServer(document: Definition, signal: AbortSignal) {
  return take(client.POST("/api/vwmp/workflows/validate/", { body: document as never, signal }));
}

/** Keeps the list of problems up to date: at each edit by the page, after a pause by the server. */
export function useValidation(): void {
  const designer = useDesignerStore();
  const handlers = useHandlers();
  const checker = useRef<PageChecker>(undefined);
  const verdict = useRef<Verdict>(undefined);
  useEffect(() => {
    const store = problemsOf(designer);
    let pending: ReturnType<typeof setTimeout> | undefined;
    let asked: AbortController | undefined;
    let frame = 0;

    const judge = () => {
      const { document } = designer.getState();
      const current = verdict.current?.document === document;
      const found = checker.current?.(document, handlers) ?? [];
      publish(store, join(found, verdict.current, document), current);
    };
    const ask = async () => {
      const { document } = designer.getState();
      asked?.abort();
      const request = new AbortController();
      asked = request;
      try {
        const validation = await askServer(document, request.signal);
        if (request.signal.aborted) return;
        verdict.current = { document, validation };
        store.setState({ failure: null });
        judge();
      } catch (error) {
        if (request.signal.aborted) return;
        store.setState({ failure: error });
        if (error instanceof NetworkError) pending = setTimeout(ask, retryAfter);
      }
    };
    const later = () => {
      clearTimeout(pending);
      pending = setTimeout(ask, pause);
    };
    const unsubscribe = designer.subscribe((state, before) => {
      const { document } = state;
      if (document === before.document) return;
      const judged = verdict.current;
      if (sameButForPlaces(document, before.document)) {
        // What was said still stands; a drag asks nobody.
        if (judged?.document === before.document) verdict.current = { ...judged, document };
        return;
      }
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(judge);
      later();
    });
    judge();
    void ask();
    // The canvas is drawn before the checks are there.
    let gone = false;
    void import("./page").then(({ createPageChecker }) => {
      checker.current ??= createPageChecker();
      if (!gone) judge();
    });
    return () => {
      gone = true;
      unsubscribe();
      clearTimeout(pending);
      cancelAnimationFrame(frame);
      asked?.abort();
    };
  }, [designer, handlers]);
}
