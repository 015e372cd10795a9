import { HubError } from "../errors.ts";
import { describeIssues } from "./issues.ts";
import type { StandardResult, StandardSchema } from "./standard-schema.ts";

/** What a schema says of some data: what it made of it, or what is wrong. */
export type Validation = { readonly ok: true; readonly data: unknown } | Invalid;

export interface Invalid {
  readonly ok: false;
  /** Names the path, such as `data.items[2].price: Expected number`. Fit to be shown to who sent the data. */
  readonly message: string;
  /** The schema itself failed, which is for the developer to know. */
  readonly error?: HubError;
}

/**
 * Validates data, now. Never throws.
 *
 * @param what - the data, for the developer: `The data of "chat"`.
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

/** The same for an event or a reply that carries no data. */
export function validateAbsence(data: unknown): Validation {
  return data === undefined ? { ok: true, data } : { ok: false, message: "data: There must be none" };
}

/** The text of the error stays here: it may hold secrets. */
function failed(error: HubError): Invalid {
  return { ok: false, message: "data: It could not be validated", error };
}

/**
 * The promise is of no use, but a rejection that nobody takes would end the process. Data from a stranger can bring one
 * about: zod returns it for everything that is thrown in a schema, such as the stack overflow of a recursive one.
 */
function unanswered(result: Promise<StandardResult<unknown>>, what: string): HubError {
  result.then(undefined, () => {});
  return new HubError(
    "ERR_HUB_CONTRACT",
    `${what} could not be validated at once: its schema is asynchronous, or it threw an error. Messages are handled in ` +
      "the order in which they come, so that a schema must not wait. Do in the handler what has to.",
  );
}

function isPromise<V>(value: V | Promise<V>): value is Promise<V> {
  return typeof (value as Partial<Promise<V>> | undefined)?.then === "function";
}
