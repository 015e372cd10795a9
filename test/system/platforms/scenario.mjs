// What a client does on every platform, unchanged: plain JavaScript that imports the package by its name.
import { connect } from "roomcast/client";
import { msgpackCodec } from "roomcast/msgpack";

/** Longer than any step takes on a busy machine, in milliseconds. */
const PATIENCE = 40_000;

const WITH_CREDENTIALS = { auth: async () => ({ name: "ann" }) };

/**
 * Plays all steps, one after the other.
 *
 * @param urls - `hub`, `elsewhere` at the same server, `foreign`, which agrees on no subprotocol, and `nowhere`, where
 *   nothing listens.
 * @param WebSocket - the class to connect with; `undefined` for the platform's own.
 * @returns what happened in each step, by its name.
 */
export async function play(urls, WebSocket) {
  const journal = {};
  for (const [name, step] of Object.entries(STEPS)) {
    const clients = [];
    const open = (url, options = {}) => {
      const reconnect = { minDelay: 10, maxDelay: 20, stableAfter: 0 };
      const client = connect(url, { WebSocket, reconnect, ...WITH_CREDENTIALS, ...options });
      clients.push(client);
      return client;
    };
    journal[name] = await within(PATIENCE, () => step({ open, urls })).catch((error) => ({ failed: String(error) }));
    await Promise.all(clients.map((client) => client.close()));
  }
  return journal;
}

const STEPS = {
  async welcome({ open, urls }) {
    const client = open(`${urls.hub}?a=b#part`);
    const states = [client.state];
    client.on("hub:state", ({ state }) => states.push(state));
    return { handshake: await client.request("handshake"), id: typeof client.id, states: [...states] };
  },

  async events({ open, urls }) {
    const client = open(urls.hub);
    const heard = next(client, "echo");
    const text = `\uFEFFé€😀${"x".repeat(200_000)}`;
    client.emit("shout", text);
    return (await heard)[0] === text;
  },

  async requests({ open, urls }) {
    const client = open(urls.hub);
    const removed = new AbortController();
    removed.abort();
    client.handle("confirm", async (question) => question.endsWith("?"));
    return {
      reply: await client.request("sum", [1, 2]),
      confirmed: await client.request("ask me", "really?"),
      unknown: await rejection(client.request("unheard-of")),
      timeout: await rejection(client.request("never", undefined, { timeout: 20 })),
      aborted: (await rejection(client.request("sum", [1], { signal: removed.signal }))) !== undefined,
    };
  },

  async rooms({ open, urls }) {
    const client = open(urls.hub);
    const lobby = client.room("lobby");
    await lobby.join();
    const heard = next(lobby, "news");
    client.emit("tell the lobby", 1);
    const [news, { room }] = await heard;
    const refused = await rejection(client.join("secret"));
    lobby.on("news", () => {
      throw new Error("It has left the room.");
    });
    await lobby.leave();
    client.emit("tell the lobby", 2);
    await client.request("sum", []);
    return { news, room, refused };
  },

  async binary({ open, urls }) {
    const client = open(urls.hub, { codec: msgpackCodec });
    const { at, bytes, big } = await client.request("same", {
      at: new Date(7),
      bytes: new Uint8Array([0, 255]),
      big: 2n ** 60n,
    });
    const raw = open(urls.hub);
    const back = next(raw, "hub:message");
    raw.send(new Uint8Array(70_000).fill(7));
    const [message] = await back;
    return {
      at: at instanceof Date && at.getTime(),
      bytes: bytes instanceof Uint8Array && [...bytes],
      big: String(big),
      raw: message instanceof Uint8Array && message.length === 70_000 && message.every((byte) => byte === 7),
    };
  },

  async "lost connection"({ open, urls }) {
    const client = open(urls.hub);
    await client.join("lobby");
    const states = follow(client);
    const lost = await rejection(client.request("cut"));
    await reached(client, "open");
    const heard = next(client, "news");
    client.emit("tell the lobby", "back");
    return { lost, states: [...states], news: (await heard)[0] };
  },

  async "repeated request"({ open, urls }) {
    const client = open(urls.hub);
    await client.request("sum", []);
    // The server cuts the connection before it replies, once.
    return client.request("pay", 5, { idempotent: true }).catch(described);
  },

  async "server restarts"({ open, urls }) {
    const client = open(urls.hub);
    await client.join("lobby");
    const states = follow(client);
    const heard = next(client, "news");
    client.emit("restart");
    await reached(client, "open");
    client.emit("tell the lobby", "back");
    return { first: states[0], news: (await heard)[0] };
  },

  async "refused credentials"({ open, urls }) {
    const client = open(urls.hub, { auth: { name: "mallory" } });
    const states = follow(client);
    await reached(client, "closed");
    await pause(100);
    const attempts = await open(urls.hub).request("attempts of", "mallory");
    return { states: [...states], attempts };
  },

  async kicked({ open, urls }) {
    const client = open(urls.hub);
    const states = follow(client);
    const pending = await rejection(client.request("kick me"));
    await pause(100);
    return { pending, states: states.filter(({ state }) => state !== "open") };
  },

  async "no connection"({ open, urls }) {
    const attempts = {};
    for (const name of ["nowhere", "elsewhere", "foreign"]) {
      const client = open(urls[name]);
      const states = follow(client);
      const delays = [];
      client.on("hub:state", ({ delay }) => delay !== undefined && delays.push(delay));
      await reached(client, "waiting");
      await reached(client, "waiting");
      await client.close();
      attempts[name] = {
        states: states.slice(0, 3).map(({ state }) => state),
        code: states[0].code,
        reason: states[0].reason,
        delayed: delays.every((delay) => delay >= 0 && delay <= 20),
      };
    }
    return attempts;
  },

  async "closed while connecting"({ open, urls }) {
    const other = open(urls.hub);
    const client = open(`${urls.hub}?slow`);
    const states = [];
    client.on("hub:state", ({ state }) => states.push(state));
    await until(() => other.request("somebody waits for admission"));
    const closed = client.close();
    await other.request("admit all");
    await closed;
    await until(async () => (await other.request("newcomers")) === 0);
    return { states, left: await other.request("connections with", "slow") };
  },

  async "clean close"({ open, urls }) {
    const client = open(`${urls.hub}?leaving`);
    await client.request("sum", []);
    const first = client.id;
    client.emit("shout", "the last word");
    await client.close(4321, "enough");
    const { state } = client;
    client.open();
    const sum = await client.request("sum", [3]);
    const told = await until(() => client.request("last end of", "leaving"));
    return { state, told, sum, isAnother: client.id !== first };
  },
};

/** The changes of the state from now on, without what differs from run to run. */
function follow(client) {
  const states = [];
  client.on("hub:state", ({ state, code, reason }) => states.push({ state, code, reason }));
  return states;
}

function reached(client, wanted) {
  return new Promise((resolve) => {
    const listener = ({ state }) => {
      if (state !== wanted) return;
      client.off("hub:state", listener);
      resolve();
    };
    client.on("hub:state", listener);
  });
}

/** The arguments of the next call of a listener. */
function next(source, event) {
  return new Promise((resolve) => {
    source.once(event, (...all) => resolve(all));
  });
}

function rejection(promise) {
  return promise.then(() => undefined, described);
}

function described({ code, reason }) {
  return { code, reason };
}

/** Asks until the answer is not empty, and resolves with it. */
async function until(ask) {
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    await pause(10);
  }
}

function pause(time) {
  return new Promise((resolve) => {
    setTimeout(resolve, time);
  });
}

async function within(time, step) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It takes longer than ${time} ms.`)), time);
  });
  try {
    return await Promise.race([step(), late]);
  } finally {
    clearTimeout(timer);
  }
}
