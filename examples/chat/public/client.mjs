import { connect } from "./roomcast/client/index.js";
import { presence } from "./roomcast/client/presence.js";
import { startPage } from "./page.mjs";

/** How long a message may wait for its answer, and before that for a connection, in milliseconds. */
const PATIENCE = 60_000;

/** All that is left of `connection.mjs`: the library reconnects by itself, notices dead networks and answers requests. */
startPage(({ wish, state, events, people }) => {
  let client;
  let users;
  return {
    queues: true,

    get isOpen() {
      return client?.state === "open";
    },

    open() {
      const opened = connect("/socket", { auth: () => wish });
      client = opened;
      state(client.state);
      client.on("hub:state", ({ state: now, reason }) => {
        if (client === opened) state(now, reason);
      });
      for (const [name, listener] of Object.entries(events)) client.on(name, listener);
    },

    retry() {
      client.reconnect();
    },

    close() {
      const left = client;
      client = undefined;
      void left?.close();
    },

    /** The library joins again after a lost connection, gets what was missed, and keeps the map of the people. */
    join(room) {
      users?.close();
      const now = presence(client, room);
      users = now;
      now.on("change", () => people(room, now, now.count));
      return client.join(room);
    },

    leave(room) {
      void client.leave(room);
    },

    send(event, data) {
      client.emit(event, data);
    },

    /** A message is sent again after a lost connection, and arrives once; where to be is decided by the next `wish`. */
    request(event, data) {
      return client.request(event, data, { idempotent: event === "chat", timeout: PATIENCE });
    },
  };
});
