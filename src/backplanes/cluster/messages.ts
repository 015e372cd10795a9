/** A message of a session in a worker to the primary process. */
export type MessageToPrimary =
  /** Opens the session. `bytes` shows whether bytes arrive as bytes. */
  | { readonly type: "hello"; readonly bytes: Uint8Array }
  | { readonly type: "publish"; readonly channel: string; readonly envelope: Uint8Array }
  | { readonly type: "subscribe" | "unsubscribe"; readonly channels: readonly string[] }
  /** Asks for a pong, which follows when all earlier messages have been carried out. */
  | { readonly type: "ping"; readonly number: number }
  | { readonly type: "bye" };

/** A message of the primary process to a session. */
export type MessageToSession =
  | { readonly type: "welcome" }
  | { readonly type: "pong"; readonly number: number }
  | { readonly type: "message"; readonly channel: string; readonly envelope: Uint8Array }
  /** Ends the session. */
  | { readonly type: "fault"; readonly reason: string };

/** The property that tells these messages from those of the application. */
export const KEY = "roomcast:backplane";

/** A message as it is sent, with the number of its session: a worker may have several. */
export interface Wrapped<M> {
  readonly [KEY]: { readonly session: number; readonly message: M };
}

/** Prepares a message for sending. */
export function wrap<M>(session: number, message: M): Wrapped<M> {
  return { [KEY]: { session, message } };
}

/** Reads a received message; the result is `undefined` for a message of the application. */
export function unwrap(value: unknown): Wrapped<unknown>[typeof KEY] | undefined {
  return typeof value === "object" && value !== null ? (value as Partial<Wrapped<unknown>>)[KEY] : undefined;
}
