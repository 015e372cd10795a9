import { Hub, ReplyError, type HubOptions } from "roomcast";
import { flatCodec } from "./flat-codec.ts";

/** What is spoken on the wire: the names are the `type` of each message, the rest are its other fields. */
export interface PlainTypes {
  client: {
    /** As it came: nobody has checked the fields yet. */
    chat: { readonly user?: unknown; readonly message?: unknown };
    ping: object;
  };
  server: {
    welcome: { readonly message: string };
    connected: { readonly clientId: string };
    userJoined: { readonly clientId: string };
    userLeft: { readonly clientId: string };
    chat: { readonly user: string; readonly message: string; readonly clientId: string };
    pong: undefined;
  };
}

/** A chat that any client of a hand-written WebSocket server can talk to: no envelope, no library on its side. */
export function createPlainHub(options: Pick<HubOptions, "transport"> = {}): Hub<PlainTypes> {
  const hub = new Hub<PlainTypes>({
    ...options,
    codec: flatCodec("Dữ liệu không hợp lệ"),
    welcome: false,
    // "same" has the pages of local development servers, too. A page that is opened from the disk has the origin "null",
    // as has any page in a sandbox: a server with users does without it.
    origins: ["same", "null"],
  });

  hub.on("connection", (socket) => {
    socket.emit("welcome", { message: "Chào mừng đến với WebSocket Server!" });
    socket.emit("connected", { clientId: socket.id });
    socket.broadcast.emit("userJoined", { clientId: socket.id });
  });

  hub.on("disconnection", (socket) => hub.emit("userLeft", { clientId: socket.id }));

  hub.handle("chat", ({ user, message }, socket) => {
    if (typeof user !== "string" || typeof message !== "string") {
      throw new ReplyError("bad-chat", 'A "chat" message needs the strings "user" and "message".');
    }
    socket.broadcast.emit("chat", { user, message, clientId: socket.id });
  });

  hub.handle("ping", (_, socket) => socket.emit("pong"));

  return hub;
}
