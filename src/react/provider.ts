import { createElement, useEffect, useMemo, type Context, type ReactElement, type ReactNode } from "react";
import type { Client, ConnectOptions } from "../client/index.ts";
import type { HubTypes } from "../event-types.ts";
import { useLatest } from "./latest.ts";
import { createHub, hubOf, type SharedHub } from "./shared-hub.ts";

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

/** Creates the provider for a context. */
export function createProvider<T extends HubTypes>(
  context: Context<SharedHub<T> | undefined>,
): (props: HubProviderProps<T>) => ReactElement {
  return function HubProvider({ client, url = "", options = {}, children }) {
    const latest = useLatest(options);
    const address = String(url);
    const hub = useMemo<SharedHub<T>>(() => {
      if (client) return hubOf(client);
      const auth = async (): Promise<unknown> => {
        const { auth: current } = latest.current;
        return typeof current === "function" ? current() : current;
      };
      return createHub(address, { ...options, auth });
    }, [client, address]);
    return createElement(context.Provider, { value: hub }, createElement(Lifetime, { hub }), children);
  };
}

/**
 * The effect of a provider. It comes before the provider's children, so that the client is open when their effects send
 * something. A Suspense boundary that hides the provider does not end it, as it would end a layout effect.
 */
function Lifetime({ hub }: { readonly hub: Pick<SharedHub<never>, "effect"> }): null {
  useEffect(hub.effect, [hub]);
  return null;
}
