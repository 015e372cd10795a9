// A primary process with a worker that sends it messages which no version of the backplane sends, and two nodes that
// should hear each other nevertheless.
import cluster from "node:cluster";
import { cluster as backplane, setupPrimary } from "../../../dist/backplanes/cluster/index.js";
import { Hub } from "../../../dist/index.js";

const KEY = "roomcast:backplane";
const bytes = new Uint8Array(1);
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
];

async function primary() {
  setupPrimary();
  const warnings = [];
  process.on("warning", ({ code }) => warnings.push(code));
  const workers = ["broken", "one", "two"].map((role) => cluster.fork({ ROLE: role }));
  const [broken, one, two] = workers;
  const faults = await new Promise((resolve) => {
    broken.on("message", (message) => message.faults !== undefined && resolve(message.faults));
  });
  one.send("speak");
  await new Promise((resolve) => {
    two.on("message", (message) => message === "heard" && resolve());
  });
  process.send({ faults, warnings });
  for (const worker of workers) worker.process.kill("SIGKILL");
  process.disconnect();
}

function sendUnreadable() {
  let faults = 0;
  process.on("message", (message) => {
    const { message: told } = message[KEY] ?? {};
    if (told?.type === "fault") faults++;
    // The answer to the last message comes last.
    if (told?.type === "welcome") process.send({ faults });
  });
  for (const message of UNREADABLE) process.send({ [KEY]: message });
  process.send({ [KEY]: { session: 2, message: { type: "hello", bytes } } });
}

function serve() {
  const hub = new Hub({ backplane: backplane(), heartbeat: false });
  hub.onNode("words", () => process.send("heard"));
  process.on("message", (message) => {
    // Neither node may be there yet.
    if (message === "speak") setInterval(() => hub.emitToNodes("words", "words"), 50);
  });
}

if (cluster.isPrimary) await primary();
else ({ broken: sendUnreadable, one: serve, two: serve })[process.env.ROLE]();
