"use client";

/**
 * The hook that shows who is in a room.
 *
 * @module roomcast/react/presence
 */

import { useEffect, useState } from "react";
import type { Client } from "../client/index.ts";
import { presence } from "../client/presence.ts";
import type { HubTypes } from "../event-types.ts";

/** Who is present in a room. */
export interface PresenceState<D = unknown> {
  /** The users by their ids, with their data; empty when they are too many to be named. */
  readonly users: ReadonlyMap<string, D | null>;
  /** The number of users. */
  readonly count: number;
}

const NOBODY: PresenceState<never> = { users: new Map(), count: 0 };

/**
 * Shows who is present in a room that the client is in. This does not join the room: `useRoom` does.
 *
 * @example
 * const { count, users } = usePresence<{ name: string }>(useHub(), "lobby");
 *
 * @throws {ClientError} `ERR_CLIENT_ARGUMENT` for what is no name of a room, in an effect.
 */
export function usePresence<D = unknown, T extends HubTypes = HubTypes>(
  client: Client<T>,
  room: string,
): PresenceState<D> {
  const [latest, tell] = useState<{ client: unknown; room: string; now: PresenceState<D> }>({
    client,
    room,
    now: NOBODY,
  });
  useEffect(() => {
    const users = presence<D, T>(client, room);
    users.on("change", () => tell({ client, room, now: { users: new Map(users), count: users.count } }));
    return () => users.close();
  }, [client, room]);
  return latest.client === client && latest.room === room ? latest.now : NOBODY;
}
