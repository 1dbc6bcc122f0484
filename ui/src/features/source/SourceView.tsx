/** The workflow as text. */
export default function SourceView() {
  return null;
}
