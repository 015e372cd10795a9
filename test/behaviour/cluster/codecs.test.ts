import { Hub, type Codec, type HubOptions, type HubError } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { memory, MemoryEngine, type MemoryTransport } from "roomcast/testing";
import { expect, onTestFinished, test } from "vitest";

/** One of two nodes, and what the error event of it told. */
interface Node {
  readonly hub: Hub;
  readonly transport: MemoryTransport;
  readonly errors: string[];
}

async function pair(one: HubOptions, two: HubOptions): Promise<[Node, Node]> {
  const engine = new MemoryEngine();
  const create = (options: HubOptions): Node => {
    const transport = memory();
    const errors: string[] = [];
    const hub = new Hub({ ...options, transport, backplane: engine.backplane(), welcome: false });
    hub.on("error", (error) => errors.push((error as HubError).message));
    hub.on("connection", (socket) => socket.join("x"));
    onTestFinished(() => hub.close());
    return { hub, transport, errors };
  };
  const both: [Node, Node] = [create(one), create(two)];
  await Promise.all(both.map(({ hub }) => hub.synced()));
  return both;
}

/** A library client on this node; resolves with what it decodes of the first event. */
function heard(
  { transport, hub }: Node,
  codec: Codec,
): { readonly joined: Promise<void>; readonly event: Promise<unknown> } {
  const socket = transport.connect("/", { protocols: codec.protocol === undefined ? [] : [codec.protocol] });
  socket.addEventListener("open", () => {
    if (codec.protocol !== undefined) socket.send(codec.encode({ event: "hub:hello", data: { protocol: 1 } }));
  });
  const joined = new Promise<void>((resolve) => {
    hub.once("connection", () => resolve());
  });
  const event = new Promise<unknown>((resolve) => {
    socket.addEventListener("message", (message) => {
      const data = (message as MessageEvent).data as ArrayBuffer | string;
      const packet = codec.decode(typeof data === "string" ? data : new Uint8Array(data)) as {
        readonly event?: string;
      };
      if (packet.event === "news") resolve(packet);
    });
  });
  return { joined: joined.then(() => hub.synced()), event };
}

const json: Codec = {
  encode: (packet) => JSON.stringify(packet),
  decode: (message) => JSON.parse(String(message)) as unknown,
};

test("clients of every codec get the messages of a node where nobody speaks it", async () => {
  const [one, two] = await pair({ codecs: [msgpackCodec] }, { codecs: [msgpackCodec] });
  const packed = heard(two, msgpackCodec);
  await packed.joined;
  const text = heard(two, json);
  await text.joined;
  const bytes = new Uint8Array([1, 2, 3]);
  one.hub.to("x").emit("news", { bytes });
  expect(await packed.event).toEqual({ event: "news", data: { bytes }, room: "x" });
  expect(await text.event).toMatchObject({ event: "news", room: "x" });
});

test("a node reports an envelope without a codec that is spoken on the node", async () => {
  const [one, two] = await pair({ codec: { ...json } }, { codec: { ...json }, codecs: [msgpackCodec] });
  const packed = heard(two, msgpackCodec);
  await packed.joined;
  one.hub.to("x").emit("news", 1);
  await expect.poll(() => two.errors).toEqual([expect.stringContaining(`"${msgpackCodec.protocol}"`)]);
});

test("a backplane belongs to one hub", async () => {
  const backplane = new MemoryEngine().backplane();
  const hub = new Hub({ transport: memory(), backplane });
  onTestFinished(() => hub.close());
  expect(() => new Hub({ transport: memory(), backplane })).toThrow("belongs to another hub");
});
