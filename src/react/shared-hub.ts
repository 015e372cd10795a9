import {
  connect,
  type Client,
  type ConnectOptions,
  type StateChange,
  type WebSocketConstructor,
} from "../client/index.ts";
import type { HubTypes } from "../event-types.ts";
import { createLifetime } from "./lifetime.ts";

/** The state of the client, with what {@link StateChange} says about it. */
export type ConnectionState = Omit<StateChange, "previous">;

/** What a provider shares with the hooks below it. */
export interface SharedHub<T extends HubTypes> {
  readonly client: Client<T>;
  /** The state for the server and for hydration, where no client connects. */
  readonly initial: ConnectionState;
  /** The latest state. Only {@link share} changes this field, before the hooks hear of the change. */
  connection: ConnectionState;
  /** The effect of the provider, which opens and closes a client of its own. */
  readonly effect: () => (() => void) | undefined;
}

/** The hubs of the clients that programs have made. */
const hubs = new WeakMap<object, unknown>();

/** Returns the hub of a client that the program opens and closes by itself; always the same for one client. */
export function hubOf<T extends HubTypes>(client: Client<T>): SharedHub<T> {
  let hub = hubs.get(client) as SharedHub<T> | undefined;
  if (!hub) {
    const { state } = client;
    hub = share({ client, initial: { state: "connecting" }, connection: { state }, effect: () => undefined });
    hubs.set(client, hub);
  }
  return hub;
}

/** Creates a hub with a client of its own, which is open while the provider is mounted. */
export function createHub<T extends HubTypes>(url: string, options: ConnectOptions<T>): SharedHub<T> {
  let client: Client<T>;
  let failure: unknown;
  try {
    client = connect(url, { ...options, start: false });
  } catch (error) {
    // A server has no page to resolve the URL with, and perhaps no WebSocket. Nothing tells a server from a page better
    // than that it runs no effects.
    failure = error;
    client = connect("ws://server", { WebSocket: Object as unknown as WebSocketConstructor, start: false });
  }
  const initial: ConnectionState = { state: options.start === false ? "closed" : "connecting" };
  const effect = createLifetime(
    () => {
      if (failure) throw failure;
      if (options.start !== false) client.open();
    },
    () => client.close(),
  );
  return share({ client, initial, connection: initial, effect });
}

/** Keeps the state of a hub up to date as long as its client lives. */
function share<T extends HubTypes>(hub: SharedHub<T>): SharedHub<T> {
  hub.client.on("hub:state", (connection) => {
    hub.connection = connection;
  });
  return hub;
}
