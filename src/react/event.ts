import { useEffect } from "react";
import type { Client, EventContext } from "../client/index.ts";
import { useLatest } from "./latest.ts";

/** The options of `useEvent`. */
export interface EventOptions {
  /** The room to listen to: only what the server sends to this room and to no other. Default: everything. */
  readonly room?: string | undefined;
}

/** Listens while the component is mounted, always with the latest handler. */
export function useEvent(
  client: Client,
  event: string,
  handler: (data: never, context: EventContext) => unknown,
  { room }: EventOptions = {},
): void {
  const latest = useLatest(handler);
  useEffect(() => {
    const source = room === undefined ? client : client.room(room);
    const listener = (data: unknown, context: EventContext): unknown => latest.current(data as never, context);
    source.on(event, listener);
    return () => void source.off(event, listener);
  }, [client, event, room, latest]);
}
