// What is said aloud of a run as it goes on.
import { type Execution, hasEnded } from "../../api/types";
import { capital, count } from "../../lib/text";

/** The least time between two announcements, in milliseconds. */
export const announceEvery = 3000;

/** Where a run is, in a few words: "4 of 10 done, 1 failed". */
export function progressText({ progress }: Execution): string {
  const { total_steps, completed_steps, failed_steps, skipped_steps } = progress;
  const parts = [`${completed_steps} of ${total_steps} done`];
  if (failed_steps > 0) parts.push(`${failed_steps} failed`);
  if (skipped_steps > 0) parts.push(`${skipped_steps} skipped`);
  return parts.join(", ");
}

/** What is announced of a run as it stands. */
export function announcement(result: Execution): string {
  const text = progressText(result);
  if (hasEnded(result.status)) return `The run ended: ${result.status}. ${capital(text)}.`;
  if (result.status === "running" || result.status === "pending") return text;
  const waiting = Object.values(result.step_results).filter(({ status }) => status === "waiting").length;
  const more = result.status === "waiting" && waiting > 0 ? `, ${count(waiting, "step")} waiting` : "";
  return `The run is ${result.status}. ${capital(text)}${more}.`;
}

/**
 * Lets the newest of many texts through, the first at once and then at most
 * one in a while. Texts that say nothing new are left out.
 */
export class Announcer {
  #said = "";
  #wanted = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #say: (text: string) => void;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  announce(text: string): void {
    this.#wanted = text;
    if (this.#timer === undefined) this.#speak();
  }

  /** Notes what is known already and need not be said. */
  known(text: string): void {
    this.#said = text;
    this.#wanted = text;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #speak(): void {
    if (this.#wanted === this.#said) return;
    this.#said = this.#wanted;
    this.#say(this.#said);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#speak();
    }, announceEvery);
  }
}
