import { createHubHooks, type HubHooks } from "./hooks.ts";

/** The hooks for a program without types of its events, which may be any. */
const hooks: HubHooks = createHubHooks();

export const HubProvider: HubHooks["HubProvider"] = hooks.HubProvider;
export const useHub: HubHooks["useHub"] = hooks.useHub;
export const useConnection: HubHooks["useConnection"] = hooks.useConnection;
export const useEvent: HubHooks["useEvent"] = hooks.useEvent;
export const useRoom: HubHooks["useRoom"] = hooks.useRoom;
export const useRequest: HubHooks["useRequest"] = hooks.useRequest;
