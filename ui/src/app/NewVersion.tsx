import { useEffect } from "react";
import { toast } from "../components/toast";

/**
 * After an update of the server an open page may ask for a part that is no
 * longer there. It says so and offers to reload; it never reloads by itself,
 * over work that is not saved.
 */
export function NewVersion() {
  useEffect(() => {
    const tell = (event: Event) => {
      event.preventDefault();
      toast({
        title: "A new version is ready",
        description: "Save your work, then reload the page to use it.",
        kind: "error",
        action: { label: "Reload", onClick: () => globalThis.location.reload() },
      });
    };
    globalThis.addEventListener("vite:preloadError", tell);
    return () => globalThis.removeEventListener("vite:preloadError", tell);
  }, []);
  return null;
}
