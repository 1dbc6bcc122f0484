import { useEffect } from "react";
import { useStore } from "zustand";
import { useLeaveGuard } from "../../../app/leave";
import { useShortcuts } from "../../../app/shortcuts";
import { useDesignerState, useDesignerStore } from "../context";
import { isUnsaved } from "../store";
import { type SavingSession, type SavingState, sessionOf } from "./session";

export function useSavingSession(): SavingSession {
  return sessionOf(useDesignerStore());
}

/** A part of what saving has come to. */
export function useSavingState<T>(pick: (state: SavingState) => T): T {
  return useStore(useSavingSession().state, pick);
}

/** Whether anything differs from what the server has. */
export function useUnsaved(): boolean {
  const definition = useDesignerState(isUnsaved);
  const text = useSavingState((state) => state.textUnsaved);
  return definition || text;
}

/** Keeps drafts, asks before unsaved work is left, and saves with Mod+S. Called once by the designer. */
export function useSaving(onCreated?: (id: string) => void): void {
  const session = useSavingSession();
  useEffect(() => session.start({ onCreated }), [session, onCreated]);
  useLeaveGuard(useUnsaved());
  const enabled = !useDesignerState((state) => state.readOnly);
  const save = () => void session.save();
  useShortcuts([{ keys: "Mod+S", label: "Save", group: "Designer", inFields: true, enabled, run: save }]);
}
