import { useCallback, useEffect, useRef, useState } from "react";
import type { Client, ClientError, RequestOptions } from "../client/index.ts";
import type { DataArguments, EventReply } from "../event-types.ts";
import { useLatest } from "./latest.ts";

/** A request of a component: how the latest call of `send` went, and `send`. */
export interface RequestState<V> {
  /** The latest reply. It stays while the next one is awaited. */
  readonly data: EventReply<V> | undefined;
  /** The error of the latest call, if it failed. */
  readonly error: ClientError | undefined;
  /** Whether the reply to the latest call is awaited. */
  readonly isPending: boolean;
  /**
   * Sends the request and resolves with the reply, like `client.request`; the function is the same in every rendering.
   * Calls do not disturb each other. Those that are pending when the component is unmounted are aborted.
   *
   * The rejection need not be handled: it is in `error`, too.
   */
  readonly send: (...data: DataArguments<V>) => Promise<EventReply<V>>;
}

type Progress<V> = Omit<RequestState<V>, "send">;

/** Sends requests for a component. */
export function useRequest<V>(
  client: Client,
  event: string,
  options: Omit<RequestOptions, "signal"> = {},
): RequestState<V> {
  const [progress, setProgress] = useState<Progress<V>>({ data: undefined, error: undefined, isPending: false });
  const latestOptions = useLatest(options);
  const latestCall = useRef<object>(undefined);
  const controller = useRef<AbortController>(undefined);

  useEffect(
    () => () => {
      controller.current?.abort();
      controller.current = undefined;
    },
    [],
  );

  const send = useCallback(
    (...[data]: readonly unknown[]): Promise<EventReply<V>> => {
      // Made here, because the effects of the components below may send before this one's effect.
      const { signal } = (controller.current ??= new AbortController());
      const call = {};
      latestCall.current = call;
      const become = (next: Partial<Progress<V>>): void => {
        if (latestCall.current === call) setProgress((known) => ({ ...known, error: undefined, ...next }));
      };
      become({ isPending: true });
      const reply = client.request(event, data, { ...latestOptions.current, signal });
      reply.then(
        (replied: EventReply<V>) => become({ data: replied, isPending: false }),
        (error: ClientError) => become({ error: signal.aborted ? undefined : error, isPending: false }),
      );
      return reply;
    },
    [client, event, latestOptions],
  );

  return { ...progress, send };
}
