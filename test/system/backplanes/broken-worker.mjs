// A primary process with three nodes as its workers. One of them sends it messages which no version of the backplane sends;
// the other two should hear each other nevertheless.
import cluster from "node:cluster";
import { cluster as backplane, setupPrimary } from "../../../dist/backplanes/cluster/index.js";
import { Hub } from "../../../dist/index.js";

const KEY = "roomcast:backplane";
const bytes = new Uint8Array(1);
const entry = { origin: "o", number: 1, envelope: bytes };
const limits = { size: 1, age: 1 };
/** The number of a session that no hub has. */
const LAST = 1_000;
const UNREADABLE = [
  null,
  5,
  [],
  {},
  { session: "1" },
  { session: 1 },
  { session: 1, message: null },
  { session: 1, message: { type: "newer" } },
  { session: 1, message: { type: "toString" } },
  { session: 1, message: { type: "publish", channel: 5, envelope: bytes } },
  { session: 1, message: { type: "publish", channel: "roomcast:a", envelope: "text" } },
  { session: 1, message: { type: "subscribe" } },
  { session: 1, message: { type: "subscribe", channels: 5 } },
  { session: 1, message: { type: "subscribe", channels: [{}] } },
  { session: 1, message: { type: "unsubscribe", channels: null } },
  { session: 1, message: { type: "ping", number: {} } },
  { session: 1, message: { type: "append", number: 1, channel: "roomcast:a", entries: [{}], limits } },
  { session: 1, message: { type: "append", number: 1, channel: "roomcast:a", entries: [entry], limits: {} } },
  { session: 1, message: { type: "append", number: 1, channel: "roomcast:a", entries: [entry], limits, retry: 5 } },
  { session: 1, message: { type: "read", number: 1, channel: "roomcast:a", after: {}, most: 1 } },
  { session: 1, message: { type: "heads", number: 1, channels: 5 } },
  { session: 1, message: { type: "forget", channel: "roomcast:a" } },
];

async function primary() {
  setupPrimary();
  const warnings = [];
  process.on("warning", ({ code }) => warnings.push(code));
  const workers = ["broken", "one", "two"].map(() => cluster.fork());
  const [broken, one, two] = workers;
  await Promise.all(workers.map((worker) => told(worker, "synced")));
  const reports = Promise.all([told(broken, "faults"), told(broken, "errors")]);
  broken.send("break");
  const [{ faults }, { errors }] = await reports;
  one.send("speak");
  await told(two, "heard");
  one.send("tell errors");
  two.send("tell errors");
  const others = await Promise.all([one, two].map(async (worker) => (await told(worker, "errors")).errors));
  process.send({ faults, warnings, errors, others });
  for (const worker of workers) worker.process.kill("SIGKILL");
  process.disconnect();
}

/** Resolves with the next message of a worker that has this property. */
function told(worker, name) {
  return new Promise((resolve) => {
    worker.on("message", (message) => message[name] !== undefined && resolve(message));
  });
}

/** Sends what cannot be read, in the name of the session of this worker's own hub. */
function sendUnreadable() {
  let faults = 0;
  process.on("message", (message) => {
    const { session, message: answer } = message[KEY] ?? {};
    if (answer?.type === "fault") faults++;
    // The answer to the last message comes last.
    if (session === LAST) process.send({ faults });
  });
  for (const message of UNREADABLE) process.send({ [KEY]: message });
  process.send({ [KEY]: { session: LAST, message: { type: "hello", bytes } } });
}

async function serve() {
  const hub = new Hub({ backplane: backplane(), heartbeat: false });
  const errors = [];
  hub.on("error", async ({ code }) => {
    errors.push(code);
    await hub.synced();
    process.send({ errors });
  });
  hub.onNode("words", () => process.send({ heard: true }));
  process.on("message", (message) => {
    if (message === "break") sendUnreadable();
    if (message === "speak") hub.emitToNodes("words", "words");
    if (message === "tell errors") process.send({ errors });
  });
  await hub.synced();
  process.send({ synced: true });
}

if (cluster.isPrimary) await primary();
else await serve();
