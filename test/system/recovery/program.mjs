// A process of its own that a run starts, kills, freezes and drains: a node with a hub, an emitter, or the primary process of
// nodes that are workers. It takes orders, and tells what becomes of them, over a Unix socket. It is over when that is.
import nodeCluster from "node:cluster";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { createEmitter, Hub } from "../../../dist/index.js";
import { msgpackCodec } from "../../../dist/msgpack/index.js";

const settings = JSON.parse(process.env.RECOVERY_PROGRAM);
const { name, role, control, transport, socketPath, engine, follows, hub: options } = settings;
const line = connect(control);
line.on("close", () => process.exit()).on("error", () => {});

/** Returns the backplane, and loads nothing that belongs to others: many programs are started. */
async function backplaneOf() {
  switch (engine.kind) {
    case "cluster": {
      const { cluster } = await import("../../../dist/backplanes/cluster/index.js");
      return cluster();
    }
    case "nats": {
      const { nats } = await import("../../../dist/backplanes/nats/index.js");
      return nats(engine.options);
    }
    case "redis": {
      const { redis } = await import("../../../dist/backplanes/redis/index.js");
      return redis(await redisOptions(engine));
    }
    default:
      return undefined;
  }
}

async function redisOptions({ url, sentinel, cluster, addresses }) {
  if (url !== undefined) return { url };
  const { createCluster, createSentinel } = await import("redis");
  // The engine tells its clients where its servers are, and there are proxies before them.
  const nodeAddressMap = (address) => {
    const port = addresses[address];
    return port === undefined ? undefined : { host: "127.0.0.1", port };
  };
  return {
    client:
      sentinel === undefined
        ? createCluster({ ...cluster, nodeAddressMap })
        : createSentinel({ ...sentinel, nodeAddressMap }),
  };
}

function tell(report) {
  line.write(`${JSON.stringify(report)}\n`);
}

function failed(error, source) {
  tell({ error: String(error?.code ?? error), text: `${source}: ${error?.stack ?? error}` });
}

function obey(orders) {
  const lines = createInterface({ input: line });
  lines
    .on("error", () => {})
    .on("line", (text) => {
      const order = JSON.parse(text);
      orders[order.order](order);
    });
  tell({ name, pid: process.pid });
}

/** Sends events: those of one order in one turn. */
function send(sender, { events }) {
  for (const event of events) void sendOne(sender, event);
}

async function sendOne(sender, { id, room, isRecorded, exceptSockets, exceptRooms, text }) {
  const [first, ...others] = exceptSockets;
  const own = first === undefined ? undefined : sender.sockets?.get(first);
  let target = (own ?? sender).to(room);
  for (const socket of own === undefined ? exceptSockets : others) target = target.except({ id: socket, join() {} });
  if (exceptRooms.length > 0) target = target.except(exceptRooms);
  const data = { id, text };
  if (!isRecorded) {
    target.emit("said", data);
    return;
  }
  try {
    tell({ recorded: id, at: (await target.record("said", data)).at });
  } catch (error) {
    tell({ rejected: id, code: String(error?.code ?? error), text: String(error?.stack ?? error) });
  }
}

/** Tells who comes into the room, and who goes. */
async function follow(hub) {
  const view = hub.presence(follows);
  for (const event of ["in", "out"]) {
    view.on(event, ({ id: user }, { mine }) => tell({ presence: event, user, mine }));
  }
  await view.synced();
}

async function emitter() {
  const sender = createEmitter(await backplaneOf(), {
    ...options,
    codecs: [msgpackCodec],
    cluster: { ...options.cluster, name },
    onError: (error) => failed(error, "emitter"),
  });
  obey({ send: (order) => send(sender, order) });
  tell({ isReady: true });
}

async function node() {
  const backplane = await backplaneOf();
  const hub = new Hub({
    ...options,
    transport,
    ...(backplane === undefined ? {} : { backplane }),
    codecs: [msgpackCodec],
    cluster: { ...options.cluster, name },
    heartbeat: false,
    joinable: (room) => room.startsWith("chat:"),
    ...(follows === undefined ? {} : { authenticate: ({ query }) => ({ id: query.get("user") }) }),
  });
  hub.on("error", (error, { source }) => failed(error, source));
  hub.on("connection", (socket) => {
    if (socket.handshake.query.has("outcast")) socket.join("outcasts");
  });
  obey({
    send: (order) => send(hub, order),
    drain: async ({ within }) => {
      await hub.drain({ within });
      tell({ isDrained: true });
    },
    stats: () => tell({ stats: hub.stats() }),
    users: () => tell({ users: [...hub.presence(follows).users.keys()] }),
  });
  await hub.listen({ socketPath });
  // Whoever comes before the engine is there may have to wait for it.
  await hub.synced();
  if (follows !== undefined) await follow(hub);
  tell({ isReady: true });
}

async function primary() {
  const { setupPrimary } = await import("../../../dist/backplanes/cluster/index.js");
  setupPrimary();
  obey({ fork: ({ program }) => nodeCluster.fork({ RECOVERY_PROGRAM: program }) });
  tell({ isReady: true });
}

await { primary, emitter, node }[role]();
