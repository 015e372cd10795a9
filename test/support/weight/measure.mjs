import { deserialize, serialize } from "node:v8";
import { jsonCodec } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";

/** What is measured, out of reach of the registers of the function that measures. */
let kept;

function used() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A copy as schemas and spreads make it: key by key. */
function copied(value) {
  if (Array.isArray(value)) return value.map(copied);
  if (value === null || typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const copy = {};
  for (const key of Object.keys(value)) if (key !== "__proto__") copy[key] = copied(value[key]);
  return copy;
}

const STEPS = [
  (decode) => (kept = decode()),
  () => (kept = deserialize(serialize(kept))),
  (decode) => (kept = copied(decode())),
];

/** The most that is held of a message: decoded, cloned, and copied. */
function held(decode) {
  kept = undefined;
  const before = used();
  let most = 0;
  for (const step of STEPS) {
    step(decode);
    most = Math.max(most, used() - before);
  }
  kept = undefined;
  return most;
}

process.on("message", ({ bytes, isBinary, tolerance }) => {
  const codec = isBinary ? msgpackCodec : jsonCodec;
  const weight = codec.weight(bytes, isBinary);
  const message = isBinary ? bytes : Buffer.from(bytes).toString();
  const decode = () => codec.decode(message);
  // What the engine itself puts into its heap meanwhile, such as compiled code, is there once.
  let most = held(decode);
  for (let again = 0; again < 5 && most > weight + tolerance; again++) most = Math.min(most, held(decode));
  process.send({ weight, held: most });
});
process.on("disconnect", () => process.exit());
