import process from "node:process";

/** Names that another library has for something, each with what is written here, "$" standing for the object. */
export type Habits = Readonly<Record<string, string>>;

const REQUEST = "await $.request(event, data, { timeout: 5_000 })";

/** Habits with what names sockets, which the hub, targets and sockets have in common. */
const NAMING: Habits = {
  compress: "$.uncompressed.emit(event, data)",
  emitWithAck: REQUEST,
  in: "$.to(room)",
  timeout: REQUEST,
};

const DESCRIBING =
  "await hub.to(room).sockets(), or hub.everybody for everybody; hub.rooms.get(room) for this node alone";

export const TARGET_HABITS: Habits = {
  ...NAMING,
  allSockets: DESCRIBING,
  disconnectSockets: "hub.to(room).close(), or hub.everybody.close()",
  fetchSockets: DESCRIBING,
  socketsJoin: "$.join(room)",
  socketsLeave: "$.leave(room)",
};

export const HUB_HABITS: Habits = {
  ...TARGET_HABITS,
  attach: "new Hub({ transport: ws({ server }) })",
  engine:
    'hub.sockets.size for clientsCount, hub.on("refusal", ...) for connection_error, and for middleware of HTTP the option ' +
    "authenticate",
  of: 'a hub for each namespace, with an option path of its own such as { path: "/admin" }, or rooms with a prefix',
  serverSideEmit: "hub.emitToNodes(event, data)",
};

export const SOCKET_HABITS: Habits = {
  ...NAMING,
  connected: "socket.isOpen",
  disconnect: "socket.close()",
  onAny: "hub.use((call, next) => ...) for events that have a handler, hub.handleAny(...) for the others",
  once: "socket.on(event, handler), and socket.off(event) in the handler",
  removeAllListeners: "socket.off(event)",
  use: "hub.use((call, next) => ...), where call.socket is the sender",
};

/** Habits with `hub.sockets`. */
export const VIEW_HABITS: Habits = {
  adapter: "hub.rooms for adapter.rooms",
  emit: "hub.emit(event, data)",
  sockets: "hub.sockets itself, which is a map by id",
};

/**
 * Makes every use of these names throw an error that says what to write instead. TypeScript does so by itself: it does
 * not know the names. An application may still set properties with these names.
 */
export function refuseHabits(prototype: object, whose: string, habits: Habits): void {
  for (const [name, instead] of Object.entries(habits)) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(): never {
        throw new TypeError(
          `There is no ${whose}.${name} in roomcast. Write ${instead.replaceAll("$", whose)}. See docs/MIGRATING.md.`,
        );
      },
      set(this: object, value: unknown) {
        Object.defineProperty(this, name, { configurable: true, enumerable: true, value, writable: true });
      },
    });
  }
}

/** Options of other libraries, each with the option here. */
export const OPTION_HABITS: Habits = {
  adapter: 'the option "backplane"',
  connectionStateRecovery: 'the option "history"',
  cors: 'the option "origins", such as { origins: ["same", "https://example.com"] }',
  maxHttpBufferSize: 'the option "maxMessageBytes"',
  maxPayload: 'the option "maxMessageBytes"',
  noServer: 'the option { transport: ws({ noServer: true }) }, with ws of "roomcast/transports/ws"',
  perMessageDeflate: 'the option "compression"',
  pingInterval: 'the option "heartbeat", such as { heartbeat: { interval: 25_000, timeout: 20_000 } }',
  pingTimeout: 'the option "heartbeat", such as { heartbeat: { interval: 25_000, timeout: 20_000 } }',
  port: "hub.listen(port)",
  server: 'the option { transport: ws({ server }) }, with ws of "roomcast/transports/ws"',
  transports: 'the option "transport". There is no HTTP long-polling',
  verifyClient: 'the options "origins" and "authenticate"',
};

/** What is an event of the socket elsewhere, and is told here otherwise. */
const ENDING = 'the end of a connection is hub.on("disconnection", (socket, { code, reason }) => ...)';
const SOCKET_EVENTS: ReadonlyMap<string, string> = new Map([
  ["close", ENDING],
  ["disconnect", ENDING],
  ["disconnecting", ENDING],
  ["disconnection", ENDING],
  ["error", 'failures are hub.on("error", (error, { socket }) => ...)'],
]);

const warned = new Set<string>();

/** Warns of a likely mistake that throws no error, because it may be meant: once in this process. */
function warn(what: string, message: string): void {
  if (warned.has(what)) return;
  warned.add(what);
  process.emitWarning(`${message} See docs/MIGRATING.md of roomcast.`, {
    type: "HubWarning",
    code: "HUB_LIKELY_MISTAKE",
  });
}

/** Returns what is written in the place of an event of the socket that other libraries have: a sentence, or nothing. */
export function insteadOf(event: string): string {
  const instead = SOCKET_EVENTS.get(event);
  return instead === undefined ? "" : ` Write it otherwise: ${instead}.`;
}

/** Warns of a handler of a socket for an event that other libraries have, and that clients rarely send. */
export function warnOfSocketEvent(event: string): void {
  const instead = SOCKET_EVENTS.get(event);
  if (instead === undefined) return;
  const recourse = `If clients do send "${event}", handle it with hub.handle("${event}", ...).`;
  warn(event, `socket.on("${event}", ...) hears only what the client sends: ${instead}. ${recourse}`);
}

/** Warns of the id of a socket in the place of the name of a room. */
export function warnOfId(): void {
  warn(
    "id",
    "to() and except() take names of rooms, and were given the id of a socket, which is in no room of that name. Write hub.toSocket(id), and except(socket).",
  );
}
