import { useCallback, useSyncExternalStore } from "react";
import type { HubTypes } from "../event-types.ts";
import type { ConnectionState, SharedHub } from "./shared-hub.ts";

/** Returns the state of the connection, always the latest. */
export function useConnection<T extends HubTypes>(hub: SharedHub<T>): ConnectionState {
  const subscribe = useCallback(
    (changed: () => void) => {
      hub.client.on("hub:state", changed);
      return () => void hub.client.off("hub:state", changed);
    },
    [hub],
  );
  return useSyncExternalStore(
    subscribe,
    () => hub.connection,
    () => hub.initial,
  );
}
