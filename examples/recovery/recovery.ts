import { Hub, ReplyError, type HubOptions } from "roomcast";

/** What is spoken on the wire, beside what is reserved for the hub. */
export interface RecoveryTypes {
  client: { say: unknown };
  server: { said: string };
}

const ROOM = "lobby";
const MAX_TEXT = 1_000;

/** A room whose clients get what they missed, with nothing on their side but a `WebSocket`: see `client.html`. */
export function createRecoveryHub(options: Pick<HubOptions, "transport"> = {}): Hub<RecoveryTypes> {
  const hub = new Hub<RecoveryTypes>({
    ...options,
    // A page that is opened from the disk has the origin "null", as has any page in a sandbox: a server with users does
    // without it.
    origins: ["same", "null"],
    joinable: (room) => room === ROOM,
    history: { rooms: { [ROOM]: { size: 1_000, age: 3_600_000 } } },
  });

  hub.handle("say", (text) => {
    if (typeof text !== "string" || text.length > MAX_TEXT) {
      throw new ReplyError("bad-text", `"say" needs a string of up to ${MAX_TEXT} characters.`);
    }
    hub.to(ROOM).emit("said", text);
  });

  return hub;
}
