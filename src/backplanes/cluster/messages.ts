/** What a session in a worker says to the primary. */
export type Upwards =
  /** `bytes` shows whether they arrive as such. */
  | { readonly type: "hello"; readonly bytes: Uint8Array }
  | { readonly type: "publish"; readonly channel: string; readonly envelope: Uint8Array }
  | { readonly type: "subscribe" | "unsubscribe"; readonly channels: readonly string[] }
  /** To be answered, after everything that was said before has been done. */
  | { readonly type: "ping"; readonly number: number }
  | { readonly type: "bye" };

/** What the primary says to a session. */
export type Downwards =
  | { readonly type: "welcome" }
  | { readonly type: "pong"; readonly number: number }
  | { readonly type: "message"; readonly channel: string; readonly envelope: Uint8Array }
  /** The session is over. */
  | { readonly type: "fault"; readonly reason: string };

/** Under this property they travel, beside other messages of the application's. */
export const KEY = "roomcast:backplane";

/** As it travels: a worker may have several sessions. */
export interface Wrapped<M> {
  readonly [KEY]: { readonly session: number; readonly message: M };
}

export function wrap<M>(session: number, message: M): Wrapped<M> {
  return { [KEY]: { session, message } };
}

/** `undefined` for what is a message of the application's. */
export function unwrap(value: unknown): Wrapped<unknown>[typeof KEY] | undefined {
  return typeof value === "object" && value !== null ? (value as Partial<Wrapped<unknown>>)[KEY] : undefined;
}
