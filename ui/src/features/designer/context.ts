import { createContext, useContext } from "react";
import { useStore } from "zustand";
import type { DesignerState, DesignerStore } from "./store";

export const DesignerContext = createContext<DesignerStore | null>(null);

/** The store of the designer that this component is in. */
export function useDesignerStore(): DesignerStore {
  const store = useContext(DesignerContext);
  if (!store) throw new Error("used outside a designer");
  return store;
}

/** A part of the designer's state. */
export function useDesignerState<T>(pick: (state: DesignerState) => T): T {
  return useStore(useDesignerStore(), pick);
}
