import { useEffect, useMemo, useRef, useState } from "react";
import type { Client, ClientError, RequestOptions } from "../client/index.ts";
import type { DataArguments, EventReply } from "../event-types.ts";
import { useLatest } from "./latest.ts";
import { createLifetime } from "./lifetime.ts";

/** A request of a component: how the latest call of `send` went, and `send`. */
export interface RequestState<V> {
  /** The latest reply. It stays while the next one is awaited. */
  readonly data: EventReply<V> | undefined;
  /** The error of the latest call, if it failed. */
  readonly error: ClientError | undefined;
  /** Whether the reply to the latest call is awaited. */
  readonly isPending: boolean;
  /**
   * Sends the request and resolves with the reply, like `client.request`; the function is the same in every rendering
   * with the same event and client. Calls do not disturb each other. Those that are pending when the component is
   * unmounted, or gets another event or client, are aborted.
   *
   * The rejection need not be handled: it is in `error`, too.
   */
  readonly send: (...data: DataArguments<V>) => Promise<EventReply<V>>;
}

/** How the latest call went, and which function was called. */
type Progress<V> = Omit<RequestState<V>, "send"> & { readonly send?: unknown };

const IDLE: Progress<never> = { data: undefined, error: undefined, isPending: false };

/** Sends requests for a component. */
export function useRequest<V>(
  client: Client,
  event: string,
  options: Omit<RequestOptions, "signal"> = {},
): RequestState<V> {
  const [progress, setProgress] = useState<Progress<V>>(IDLE);
  const latestOptions = useLatest(options);
  const latestCall = useRef<object>(undefined);

  const [send, effect] = useMemo(() => {
    let controller = new AbortController();
    const sending = (...[data]: readonly unknown[]): Promise<EventReply<V>> => {
      const { signal } = controller;
      const call = {};
      latestCall.current = call;
      const become = (next: Partial<Progress<V>>): void => {
        if (latestCall.current !== call) return;
        setProgress((known) => ({
          ...(known.send === sending ? known : IDLE),
          error: undefined,
          ...next,
          send: sending,
        }));
      };
      become({ isPending: true });
      const reply = client.request(event, data, { ...latestOptions.current, signal });
      reply.then(
        (replied: EventReply<V>) => become({ data: replied, isPending: false }),
        (error: ClientError) => become({ error: signal.aborted ? undefined : error, isPending: false }),
      );
      return reply;
    };
    const abort = (): void => {
      controller.abort();
      controller = new AbortController();
    };
    return [sending, createLifetime(() => {}, abort)];
  }, [client, event, latestOptions]);

  useEffect(effect, [effect]);

  return { ...(progress.send === send ? progress : IDLE), send };
}
