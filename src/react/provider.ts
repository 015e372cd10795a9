import {
  createElement,
  useEffect,
  useLayoutEffect,
  useMemo,
  type Context,
  type ReactElement,
  type ReactNode,
} from "react";
import { connect, type Client, type ConnectOptions, type WebSocketConstructor } from "../client/index.ts";
import type { HubTypes } from "../event-types.ts";
import { useLatest } from "./latest.ts";
import type { ConnectionState, SharedHub } from "./shared-hub.ts";

/** The properties of a `HubProvider`: a client that exists, or what to make one of. */
export type HubProviderProps<T extends HubTypes = HubTypes> = {
  readonly children?: ReactNode;
} & (
  | {
      /** A client that the program opens and closes by itself. */
      readonly client: Client<T>;
      readonly url?: never;
      readonly options?: never;
    }
  | {
      /**
       * The URL of the hub. The provider connects when it is mounted and closes when it is unmounted. With another URL
       * there is another client.
       */
      readonly url: string | URL;
      /**
       * The options of the client. `auth` is that of the latest rendering; all others are those of the rendering in which
       * the URL came. With `start: false` the provider does not connect: call `useHub().open()`.
       */
      readonly options?: ConnectOptions<T>;
      readonly client?: never;
    }
);

/** Whether effects run. On a server they do not, and before React 19 the second kind warns there. */
const isPage = "window" in globalThis;

/**
 * A layout effect, so that the client is open when the effects of the components below send something: theirs come
 * first among effects of one kind.
 */
const useOpening = isPage ? useLayoutEffect : useEffect;

/** Creates the provider for a context. */
export function createProvider<T extends HubTypes>(
  context: Context<SharedHub<T> | undefined>,
): (props: HubProviderProps<T>) => ReactElement {
  return function HubProvider({ client: given, url = "", options = {}, children }) {
    const latest = useLatest(options);
    const address = String(url);
    const hub = useMemo<SharedHub<T>>(() => {
      const initial: ConnectionState = { state: options.start === false ? "closed" : "connecting" };
      if (given) return { client: given, initial, connection: { state: given.state }, isMounted: false };
      const auth = async (): Promise<unknown> => {
        const { auth: current } = latest.current;
        return typeof current === "function" ? current() : current;
      };
      const client = isPage ? connect<T>(address, { ...options, auth, start: false }) : createIdle<T>();
      return { client, initial, connection: initial, isMounted: false };
    }, [given, address]);

    useOpening(() => {
      const { client } = hub;
      const changed = (connection: ConnectionState): void => {
        hub.connection = connection;
      };
      hub.isMounted = true;
      client.on("hub:state", changed);
      if (given) {
        if (hub.connection.state !== given.state) changed({ state: given.state });
      } else if (latest.current.start !== false) client.open();
      return () => {
        client.off("hub:state", changed);
        hub.isMounted = false;
        // Not at once: in strict mode the provider is mounted again in the same task, and keeps its connection.
        if (!given) void Promise.resolve().then(() => (hub.isMounted ? undefined : client.close()));
      };
    }, [hub]);

    return createElement(context.Provider, { value: hub }, children);
  };
}

/** Creates a client that is never opened: a server has no page to resolve the URL with, and perhaps no WebSocket. */
function createIdle<T extends HubTypes>(): Client<T> {
  return connect("ws://server", { WebSocket: Object as unknown as WebSocketConstructor, start: false });
}
