/** The words of the API for what started an execution. */
export const triggerNames: Record<string, string> = {
  manual: "By hand",
  api: "API",
  cli: "Command line",
  websocket: "WebSocket",
  schedule: "Schedule",
  webhook: "Webhook",
  workflow: "Another workflow",
  file: "File",
  retry: "Retry",
  fork: "Fork",
  undo: "Undo",
  child: "Step of a workflow",
};
