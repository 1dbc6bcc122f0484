/** What a handler that is dragged out of the palette is carried as. */
export const draggedHandler = "application/x-vwmp-handler";
