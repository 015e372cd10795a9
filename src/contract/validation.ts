import { HubError } from "../errors.ts";
import { describeIssues } from "./issues.ts";
import type { StandardResult, StandardSchema } from "./standard-schema.ts";

/** The result of validating some data: what the schema returned, or what is wrong. */
export type Validation = { readonly ok: true; readonly data: unknown } | Invalid;

/** The result of validating data that does not fit. */
export interface Invalid {
  readonly ok: false;
  /**
   * The path and the problem, such as `data.items[2].price: Expected number`. The sender of the data may see this text.
   */
  readonly message: string;
  /** The failure of the schema itself, which the developer must know about. */
  readonly error?: HubError;
}

/**
 * Validates data synchronously. This never throws.
 *
 * @param what - names the data, for the developer: `The data of "chat"`.
 */
export function validate(schema: StandardSchema, data: unknown, what: string): Validation {
  try {
    const result = schema["~standard"].validate(data);
    if (isPromise(result)) return failed(unanswered(result, what));
    if (result.issues === undefined) return { ok: true, data: result.value };
    return { ok: false, message: describeIssues(result.issues) };
  } catch (error) {
    const message = `${what} could not be validated: the schema threw an error instead of reporting an issue.`;
    return failed(new HubError("ERR_HUB_CONTRACT", message, { cause: error }));
  }
}

/** Validates the data of an event or a reply that carries none. */
export function validateAbsence(data: unknown): Validation {
  return data === undefined ? { ok: true, data } : { ok: false, message: "data: There must be none" };
}

/** Returns the result of a schema that failed. The message leaves out the error's text, which may hold secrets. */
function failed(error: HubError): Invalid {
  return { ok: false, message: "data: It could not be validated", error };
}

/**
 * Returns the error for a schema that returned a promise. The promise is of no use, but its rejection must be handled,
 * or it would end the process. Data from a stranger can cause one: zod returns a promise that rejects for everything
 * that is thrown in a schema, such as the stack overflow of a recursive one.
 */
function unanswered(result: Promise<StandardResult<unknown>>, what: string): HubError {
  result.then(undefined, () => {});
  return new HubError(
    "ERR_HUB_CONTRACT",
    `${what} could not be validated at once: its schema is asynchronous, or it threw an error. Messages are handled in ` +
      "the order in which they come, so a schema must not wait. Do asynchronous work in the handler.",
  );
}

function isPromise<V>(value: V | Promise<V>): value is Promise<V> {
  return typeof (value as Partial<Promise<V>> | undefined)?.then === "function";
}
