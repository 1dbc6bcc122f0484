/** The saved revisions of the workflow. */
export default function VersionsPanel() {
  return null;
}
