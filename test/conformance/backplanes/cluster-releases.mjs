// Processes of two releases: the earlier one knows no logs, and is played here by what it sends and answers.
// With the argument "old primary", that is the primary process; with "old worker", one of two workers.
import cluster from "node:cluster";
import { cluster as backplane, setupPrimary } from "../../../dist/backplanes/cluster/index.js";

const KEY = "roomcast:backplane";
const CHANNEL = "roomcast:room";
const LIMITS = { size: 10, age: 60_000 };
const NOWHERE = { epoch: "", at: 0 };

/** Resolves with the next message that has this property. */
function told(from, name) {
  return new Promise((resolve) => {
    from.on("message", (...args) => {
      const message = args.find((one) => one?.[name] !== undefined);
      if (message !== undefined) resolve(message);
    });
  });
}

/** What an earlier primary process answers. */
function answerAsBefore(worker, value) {
  const { session, message } = value[KEY] ?? {};
  const answers = { hello: { type: "welcome" }, ping: { type: "pong", number: message?.number } };
  const known = ["hello", "ping", "publish", "subscribe", "unsubscribe", "bye"].includes(message?.type);
  const answer = known ? answers[message.type] : { type: "fault", reason: "unreadable" };
  if (session !== undefined && answer !== undefined) worker.send({ [KEY]: { session, message: answer } });
}

function send(message) {
  process.send({ [KEY]: { session: 1, message } });
}

/** A worker of an earlier release, which has subscribed to the channel. Tells the types of what it hears. */
async function workAsBefore() {
  const types = [];
  process.on("message", (value) => {
    if (value[KEY] !== undefined) types.push(value[KEY].message.type);
    if (types.at(-1) === "pong") process.send({ subscribed: true });
    if (types.at(-1) === "message") process.send({ types });
  });
  send({ type: "hello", bytes: new Uint8Array(1) });
  send({ type: "subscribe", channels: [CHANNEL] });
  send({ type: "ping", number: 1 });
}

async function workAsNow() {
  const node = backplane();
  const events = [];
  const up = new Promise((resolve) => {
    node.start({ message() {}, refused() {}, up: resolve, down: (error) => events.push(error.message) });
  });
  await up;
  await node.subscribe("room");
  const entry = { origin: "o", number: 1, envelope: new Uint8Array(1) };
  const [appended] = await node.log.append("room", [entry], LIMITS);
  const read = await node.log.read("room", NOWHERE, 1).then(
    (tail) => tail.records.length,
    (error) => error.message,
  );
  const interested = (await node.interested(["room", "hall"])) ?? "unknown";
  await node.publish("room", new Uint8Array(1));
  process.send({ appended: typeof appended === "string" ? appended : "appended", read, interested, events });
}

async function primary() {
  let old;
  if (process.argv[2] === "old primary") {
    cluster.setupPrimary({ serialization: "advanced" });
    cluster.on("message", answerAsBefore);
  } else {
    setupPrimary();
    old = cluster.fork({ RELEASE: "old" });
    await told(old, "subscribed");
  }
  const heard = old && told(old, "types");
  const now = cluster.fork();
  const report = await told(now, "appended");
  process.send({ ...report, ...(await heard) });
  for (const worker of Object.values(cluster.workers)) worker.process.kill("SIGKILL");
  process.disconnect();
}

if (cluster.isPrimary) await primary();
else if (process.env.RELEASE === "old") await workAsBefore();
else await workAsNow();
