/** The shortest and the longest delay before reconnecting, in milliseconds; each is twice the one before. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;

/** How often the server is asked for a sign of life: a dead network closes no connection. */
const PING_INTERVAL = 20_000;

/** What a request fails with: `code` is the server's word for it, the message is for people. */
class RequestError extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

const LOST = { code: "disconnected", message: "The connection was lost." };

/**
 * A bare WebSocket that speaks roomcast's protocol v1 and reconnects by itself.
 *
 * Calls `people(room, users, count)` with who is in a room, and `event(name, data, { room, past })` for what the server sends, with `hub:gap` where something may be missing, and `state(state, reason)` with
 *
 * - `connecting`: the first attempt, or the next one, is under way;
 * - `open`: the server has said welcome;
 * - `waiting`: the connection is gone and will be tried again;
 * - `closed`: the server does not want this client back, and says why.
 */
export class Connection {
  #url;
  #state;
  #event;
  #people;
  #socket;
  #requests = new Map();
  /** The rooms that were joined, with the position in each: `undefined` before the server has told one. */
  #rooms = new Map();
  /** The people in the room that they were last told of, by their ids, and the number of the notice that continues that. */
  #users = new Map();
  #next;
  /** The rooms that are being joined: what comes of them was missed. */
  #joining = new Set();
  #lastId = 0;
  #attempts = 0;
  #reconnecting;
  #pinging;
  #awaitingPong = false;

  /** `url` is asked before each attempt, so that it can name the room that the user is in by then. */
  constructor({ url, state, event, people }) {
    this.#url = url;
    this.#state = state;
    this.#event = event;
    this.#people = people;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connects. Does nothing while there is a connection. */
  open() {
    if (this.#socket !== undefined) return;
    clearTimeout(this.#reconnecting);
    this.#state("connecting");
    const socket = new WebSocket(this.#url());
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (this.#socket === socket) this.#receive(JSON.parse(data));
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (this.#socket === socket) this.#closed(code, reason);
    });
  }

  /** Makes the next attempt now instead of later. */
  retry() {
    this.open();
  }

  /** Ends the connection for good. */
  close() {
    clearTimeout(this.#reconnecting);
    this.#rooms.clear();
    this.#forget()?.close();
  }

  /** Joins a room, now and on every later connection: from the second time on, what was missed comes first. */
  join(room) {
    this.#rooms.set(room, undefined);
    return this.#ask(room);
  }

  leave(room) {
    this.#rooms.delete(room);
    if (this.isOpen) this.send("hub:leave", { room });
  }

  send(event, data) {
    this.#socket.send(JSON.stringify({ event, data }));
  }

  /** Resolves with the server's reply, and rejects with a {@link RequestError}. */
  request(event, data) {
    if (!this.isOpen) return Promise.reject(new RequestError(LOST));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#requests.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ event, id, data }));
    });
  }

  async #ask(room) {
    this.#joining.add(room);
    try {
      await this.request("hub:join", { room, since: this.#rooms.get(room), presence: true });
    } catch (error) {
      // Whoever is refused is nowhere.
      if (error.code !== LOST.code && this.#rooms.has(room)) this.#rooms.set(room, undefined);
      throw error;
    } finally {
      this.#joining.delete(room);
    }
  }

  #receive({ event, data, reply, error, room, at }) {
    this.#awaitingPong = false;
    if (reply !== undefined) {
      const request = this.#requests.get(reply);
      this.#requests.delete(reply);
      if (error === undefined) request?.resolve(data);
      else request?.reject(new RequestError(error));
    } else if (event === "hub:welcome") {
      this.#attempts = 0;
      this.#pinging = setInterval(() => this.#ping(), PING_INTERVAL);
      // What is refused is asked for again on the next connection.
      for (const name of this.#rooms.keys()) this.#ask(name).catch(() => {});
      this.#state("open");
    } else if (event === "hub:presence") this.#follow(data);
    else if (event === "hub:record") {
      if (!this.#rooms.has(data.room)) return;
      this.#rooms.set(data.room, data);
      if (data.gap) this.#event("hub:gap", data);
    } else {
      const position = this.#rooms.get(room);
      if (position !== undefined && at !== undefined) position.at = at;
      this.#event(event, data, { room, past: this.#joining.has(room) });
    }
  }

  /** Follows who is in a room. It asks for everybody if it has missed something. */
  #follow({ room, v, reset, in: came = [], out = [], count }) {
    const isChange = !reset && came.length + out.length > 0;
    if (isChange && this.#next !== v) {
      this.send("hub:join", { room, presence: true });
      return;
    }
    if (!isChange) this.#users.clear();
    for (const [id, user] of came) this.#users.set(id, user);
    for (const id of out) this.#users.delete(id);
    this.#next = v + 1;
    this.#people(room, this.#users, count);
  }

  #ping() {
    if (this.#awaitingPong) {
      // The closing handshake would wait for an answer as well; this one is left to itself.
      this.#socket.close();
      this.#closed();
      return;
    }
    this.#awaitingPong = true;
    this.send("ping");
  }

  /** The hundreds of the code tell a client what to do: 40 do not reconnect, 42 reconnect at once, all others with back-off. */
  #closed(code = 1006, reason = "") {
    this.#forget();
    const kind = Math.floor(code / 100);
    if (kind === 40) {
      this.#state("closed", reason);
      return;
    }
    const atOnce = kind === 42 && this.#attempts === 0;
    this.#reconnecting = setTimeout(() => this.open(), atOnce ? 0 : this.#delay());
    this.#attempts += 1;
    this.#state("waiting", reason);
  }

  /** Half of it is chance: otherwise all clients of a server that restarts would reconnect in the same moment. */
  #delay() {
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempts);
    return (delay * (1 + Math.random())) / 2;
  }

  /** What is still on its way from the old socket is nobody's business. */
  #forget() {
    const socket = this.#socket;
    this.#socket = this.#next = undefined;
    this.#awaitingPong = false;
    clearInterval(this.#pinging);
    for (const { reject } of this.#requests.values()) reject(new RequestError(LOST));
    this.#requests.clear();
    return socket;
  }
}
