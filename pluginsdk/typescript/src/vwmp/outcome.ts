// How an attempt ends, other than well.

export type FailureClass = "invalid_input" | "retryable" | "permanent" | "cancelled" | "timeout";
export type Fault = "author" | "downstream" | "user" | "host";

/** A failure with what the engine needs to act on it. Throw a subclass. */
export class PluginError extends Error {
  failureClass: FailureClass = "permanent";
  code = "STEP_FAILED";
  fault: Fault = "user";
  pointer = "";
  /** The least wait before another attempt, in seconds. */
  retryAfter = 0;

  constructor(message: string, change: { code?: string; fault?: Fault; retryAfter?: number } = {}) {
    super(message);
    Object.assign(this, change);
  }
}

/** Every further attempt would meet it too. */
export class Permanent extends PluginError {}

/** Another attempt may not meet it, such as a network error. */
export class Retryable extends PluginError {
  override failureClass: FailureClass = "retryable";
  override code = "RETRYABLE";
  override fault: Fault = "downstream";

  constructor(message: string, change: { code?: string; fault?: Fault; retryAfter?: number } = {}) {
    super(message);
    Object.assign(this, change);
  }
}

/** The value at a JSON pointer into the config can't be used. */
export class Invalid extends PluginError {
  override failureClass: FailureClass = "invalid_input";
  override code = "INVALID_INPUT";
  override pointer: string;

  constructor(pointer: string, message: string) {
    super(message);
    this.pointer = pointer;
  }
}

/** The attempt was cancelled, or ran out of time. */
export class Cancelled extends PluginError {
  override failureClass: FailureClass;
  override code: string;

  constructor(timeout: boolean) {
    super(timeout ? "the step ran out of time" : "the step was cancelled");
    this.failureClass = timeout ? "timeout" : "cancelled";
    this.code = timeout ? "TIMEOUT" : "CANCELLED";
  }
}

/** Ends a step as skipped by choice, with a sentence that says why. */
export class Skip extends Error {}
