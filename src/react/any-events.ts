import { createHubHooks, type HubHooks } from "./hooks.ts";

/** The hooks for a program without types of its events, which may be any. */
const hooks: HubHooks = createHubHooks();

/** The component that gives a client to the hooks below it. See {@link HubHooks.HubProvider}. */
export const HubProvider: HubHooks["HubProvider"] = hooks.HubProvider;
/** Returns the client of the provider above. See {@link HubHooks.useHub}. */
export const useHub: HubHooks["useHub"] = hooks.useHub;
/** Returns the state of the connection. See {@link HubHooks.useConnection}. */
export const useConnection: HubHooks["useConnection"] = hooks.useConnection;
/** Listens to an event while the component is mounted. See {@link HubHooks.useEvent}. */
export const useEvent: HubHooks["useEvent"] = hooks.useEvent;
/** Keeps the client in a room while the component is mounted. See {@link HubHooks.useRoom}. */
export const useRoom: HubHooks["useRoom"] = hooks.useRoom;
/** Returns a function that sends a request, and how its latest call went. See {@link HubHooks.useRequest}. */
export const useRequest: HubHooks["useRequest"] = hooks.useRequest;
