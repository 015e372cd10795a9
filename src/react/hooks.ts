import { createContext, useContext, type ReactElement } from "react";
import {
  ClientError,
  type Client,
  type ClientNotices,
  type EventContext,
  type RequestOptions,
} from "../client/index.ts";
import type { HeardData, HeardName } from "../client/events.ts";
import type { ClientEvents, HubTypes, RequestName } from "../event-types.ts";
import { useConnection } from "./connection.ts";
import { useEvent, type EventOptions } from "./event.ts";
import { createProvider, type HubProviderProps } from "./provider.ts";
import { useRequest, type RequestState } from "./request.ts";
import { useRoom, type RoomState } from "./room.ts";
import type { ConnectionState, SharedHub } from "./shared-hub.ts";

/** A provider and the hooks for the components below it. */
export interface HubHooks<T extends HubTypes = HubTypes> {
  /** The component that gives a client to the hooks below it. */
  readonly HubProvider: (props: HubProviderProps<T>) => ReactElement;

  /**
   * Returns the client. On a server it is closed.
   *
   * @throws {ClientError} `ERR_CLIENT_ARGUMENT` without a provider above the component. So do all other hooks.
   */
  readonly useHub: () => Client<T>;

  /** Returns the state of the connection, with the reason if it is `waiting` or `closed`. */
  readonly useConnection: () => ConnectionState;

  /**
   * Listens, while the component is mounted, to an event that the server sends, or to one of the client's own. The handler
   * is that of the latest rendering; another one does not subscribe anew.
   */
  readonly useEvent: <E extends HeardName<T>>(
    event: E,
    handler: (data: HeardData<T, E>, context: EventContext) => unknown,
    ...options: E extends keyof ClientNotices ? [] : [options?: EventOptions]
  ) => void;

  /**
   * Keeps the client in a room while the component is mounted, over all connections. Several components may be in the same
   * room: the client leaves it with the last one.
   */
  readonly useRoom: (name: string) => RoomState;

  /**
   * Returns a function that sends a request, and how its latest call went.
   *
   * @param options - `timeout` and `idempotent`, as for `client.request`.
   */
  readonly useRequest: <E extends RequestName<ClientEvents<T>>>(
    event: E,
    options?: Omit<RequestOptions, "signal">,
  ) => RequestState<ClientEvents<T>[E]>;
}

/**
 * Creates a provider and hooks for the types of an application. They know no other provider, so that a page may have
 * several hubs.
 *
 * @example
 * export const { HubProvider, useEvent, useRequest } = createHubHooks<ClientContractTypes<typeof contract>>();
 */
export function createHubHooks<T extends HubTypes>(): HubHooks<T> {
  const context = createContext<SharedHub<T> | undefined>(undefined);
  const useShared = (): SharedHub<T> => {
    const hub = useContext(context);
    if (!hub) throw new ClientError("ERR_CLIENT_ARGUMENT", "There is no HubProvider above this component.");
    return hub;
  };
  // The types are those of the interface; the hooks behind them do not depend on the events.
  const useClient = (): Client => useShared().client;
  return {
    HubProvider: createProvider(context),
    useHub: () => useShared().client,
    useConnection: () => useConnection(useShared()),
    useEvent: (event, handler, ...options) => useEvent(useClient(), event, handler, ...(options as [EventOptions?])),
    useRoom: (name) => useRoom(useClient(), name),
    useRequest: (event, options) => useRequest(useClient(), event, options),
  };
}
