import { useEffect, useState } from "react";
import type { Client, ClientError, Room, StateChange } from "../client/index.ts";

/** What came of the wish to be in a room. */
export type RoomState =
  | {
      /**
       * - `joining`: the server has not let the client in yet, or there is no connection.
       * - `joined`: the client is in the room.
       */
      readonly state: "joining" | "joined";
      readonly error?: undefined;
    }
  | {
      /** The server refused, or the name is impossible. The hook asks again when it is mounted anew. */
      readonly state: "refused";
      /** The refusal, with the server's `reason`. */
      readonly error: ClientError;
    };

const JOINING: RoomState = { state: "joining" };
const JOINED: RoomState = { state: "joined" };

/** Keeps the client in a room while the component is mounted. */
export function useRoom(client: Client, name: string): RoomState {
  const [latest, tell] = useState({ client, name, now: JOINING });

  useEffect(() => {
    let room: Room;
    try {
      room = client.room(name);
    } catch (error) {
      tell({ client, name, now: { state: "refused", error: error as ClientError } });
      return undefined;
    }
    let now = JOINING;
    let isAsking = false;
    let isMounted = true;
    const become = (next: RoomState): void => {
      now = next;
      tell((told) =>
        told.client === client && told.name === name && told.now === next ? told : { client, name, now },
      );
    };
    const ask = async (): Promise<void> => {
      // While the client waits for its next attempt, there is nobody to ask. Asked before the connection is there, all
      // rooms are in one message.
      if (isAsking || client.state === "waiting" || client.state === "closed") return;
      isAsking = true;
      const next = await room.join().then(() => JOINED, stateAfter);
      isAsking = false;
      if (!isMounted) return;
      if (next !== JOINING && (next.error || client.state === "open")) become(next);
      // The client goes on asking by itself, and this waits for it.
      else void ask();
    };
    const changed = ({ state }: StateChange): void => {
      if (state === "open" || now.error) return;
      if (now === JOINED) become(JOINING);
      void ask();
    };
    become(JOINING);
    client.on("hub:state", changed);
    void ask();
    return () => {
      isMounted = false;
      client.off("hub:state", changed);
      // Not at once: where another component enters the room in the same commit, the client stays there. The only errors
      // are those of a connection that has ended, and then there is nothing to leave.
      Promise.resolve()
        .then(() => room.leave())
        .catch(() => {});
    };
  }, [client, name]);

  return latest.client === client && latest.name === name ? latest.now : JOINING;
}

/** Returns the state after `join` has failed. After two of its errors the client still wants to be in the room. */
function stateAfter(error: ClientError): RoomState {
  return /CLOSED|TIMEOUT/.test(error.code) ? JOINING : { state: "refused", error };
}
