import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { connect, type Client, type ClientState, type ConnectOptions } from "roomcast/client";
import type { HubTypes } from "roomcast";

/** A client for as long as the component is there. The options are those of the first rendering. */
export function useClient<T extends HubTypes>(url: string, options: ConnectOptions<T>): Client<T> | undefined {
  const [client, setClient] = useState<Client<T>>();
  useEffect(() => {
    let connected: Client<T> | undefined;
    // Not at once: in its strict mode React mounts everything twice, and the first time is over before this comes.
    const timer = setTimeout(() => setClient((connected = connect(url, options))));
    return () => {
      clearTimeout(timer);
      void connected?.close();
    };
  }, [url]);
  return client;
}

/** The client's state, always the latest. */
export function useClientState<T extends HubTypes>(client: Client<T>): ClientState {
  const subscribe = useCallback(
    (changed: () => void) => {
      client.on("hub:state", changed);
      return () => client.off("hub:state", changed);
    },
    [client],
  );
  return useSyncExternalStore(subscribe, () => client.state);
}
