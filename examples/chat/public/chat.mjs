import { Connection } from "./connection.mjs";
import { startPage } from "./page.mjs";

startPage(({ wish, state, events, people }) => {
  const connection = new Connection({
    url() {
      const url = new URL(`/socket?${new URLSearchParams(wish)}`, location.href);
      url.protocol = url.protocol.replace("http", "ws");
      return url;
    },
    state,
    event: (name, data, context) => events[name]?.(data, context),
    people,
  });
  return connection;
});
