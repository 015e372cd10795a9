"use client";

/**
 * A provider and hooks around the client, for React: {@link createHubHooks}. `docs/REACT.md` shows how to use them.
 *
 * @module roomcast/react
 */

export { HubProvider, useConnection, useEvent, useHub, useRequest, useRoom } from "./any-events.ts";
export { createHubHooks } from "./hooks.ts";
export type { HubHooks } from "./hooks.ts";
export type { EventOptions } from "./event.ts";
export type { HubProviderProps } from "./provider.ts";
export type { RequestState } from "./request.ts";
export type { RoomState } from "./room.ts";
export type { ConnectionState } from "./shared-hub.ts";
