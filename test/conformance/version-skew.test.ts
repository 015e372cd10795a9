import { Buffer } from "node:buffer";
import { readFileSync, writeFileSync } from "node:fs";
import { Hub, type HubError, type HubOptions, type Socket, type Target } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { memory, VirtualClock } from "roomcast/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  decodeBundle,
  encodeBundle,
  encodeControl,
  encodeFrames,
  type Envelope,
  type QueryAnswer,
} from "../../src/cluster/envelope.ts";
import { encodeEntry } from "../../src/backplanes/redis/log-message.ts";
import { settle } from "../../src/testing/settle.ts";
import { HandBackplane, PEER, PEER_SOCKET, record, type Published, type Recording } from "./version-skew/recording.ts";

/** The recordings of one release: of a hub with one codec, and of one with two. */
interface Release {
  readonly commit: string;
  readonly plain: Recording;
  readonly packed: Recording;
}

/**
 * The envelopes of the last release. They are made by a node of that release: copy this file and its folder into a
 * worktree of it, and run `RELEASE=$(git rev-parse HEAD) npx vitest run test/conformance/version-skew.test.ts` there.
 */
const VECTORS = new URL("version-skew/last-release.json", import.meta.url);

const commit = process.env["RELEASE"];
if (commit !== undefined) {
  const release: Release = { commit, plain: await record(), packed: await record([msgpackCodec]) };
  writeFileSync(VECTORS, `${JSON.stringify(release, undefined, 2)}\n`);
}

const last = JSON.parse(readFileSync(VECTORS, "utf8")) as Release;

/** Writes other ids, of the same length, into a bundle. */
function renamed([channel, bundle]: Published, names: Readonly<Record<string, string>>): Published {
  let text = Buffer.from(bundle, "base64").toString("latin1");
  let name = channel;
  for (const [from, to] of Object.entries(names)) {
    text = text.replaceAll(from, to);
    name = name.replaceAll(from, to);
  }
  return [name, Buffer.from(text, "latin1").toString("base64")];
}

/** A node of today with two clients, which are in the room "lobby", and one of them in "attic". */
class Today {
  readonly errors: string[] = [];
  readonly hub: Hub;
  readonly backplane = new HandBackplane();
  readonly #transport = memory();
  readonly #heard = new Map<string, unknown[]>();
  readonly #sockets = new Map<string, Socket>();

  constructor(options: HubOptions = {}) {
    this.hub = new Hub({
      transport: this.#transport,
      backplane: this.backplane,
      heartbeat: false,
      welcome: false,
      authenticate: ({ url }) => ({ id: url.slice(1) }),
      ...options,
    });
    this.hub.on("error", (error) => this.errors.push((error as HubError).message));
    onTestFinished(() => this.hub.close());
  }

  async connect(user: string, ...rooms: readonly string[]): Promise<void> {
    const connected = new Promise<Socket>((resolve) => {
      this.hub.once("connection", resolve);
    });
    const client = this.#transport.connect(`/${user}`);
    const heard: unknown[] = [];
    this.#heard.set(user, heard);
    client.addEventListener("message", (message) => {
      const { data } = message as MessageEvent;
      heard.push(typeof data === "string" ? (JSON.parse(data) as unknown) : [...new Uint8Array(data as ArrayBuffer)]);
    });
    client.addEventListener("close", (event) => heard.push((event as Event & { readonly code: number }).code));
    const socket = await connected;
    socket.join([...rooms]);
    this.#sockets.set(user, socket);
    await settle();
  }

  /** Connects a client that speaks another codec. */
  async connectPacked(...rooms: readonly string[]): Promise<void> {
    const connected = new Promise<Socket>((resolve) => {
      this.hub.once("connection", resolve);
    });
    const client = this.#transport.connect("/packed", { protocols: [msgpackCodec.protocol] });
    client.addEventListener("open", () =>
      client.send(msgpackCodec.encode({ event: "hub:hello", data: { protocol: 1 } })),
    );
    (await connected).join([...rooms]);
    await settle();
  }

  /** Takes what a client has heard since the last call. */
  heard(user: string): unknown[] {
    return this.#heard.get(user)?.splice(0) ?? [];
  }

  /** Plays what a node of the last release has published for an operation. */
  async play({ operations }: Recording, operation: string): Promise<void> {
    const names = { [PEER_SOCKET]: this.#sockets.get("ann")?.id ?? PEER_SOCKET, [PEER]: this.hub.node?.id ?? PEER };
    for (const published of operations[operation] as readonly Published[]) {
      const [channel, bundle] = renamed(published, names);
      this.backplane.receive(channel, Buffer.from(bundle, "base64"));
    }
    await settle();
  }
}

function news(data: unknown, room?: string): unknown {
  return { event: "news", data, ...(room && { room }) };
}

/** What two clients hear that hear the same. */
function both(...heard: readonly unknown[]): unknown {
  return [heard, heard];
}

describe.each(["plain", "packed"] as const)("of what a node of the last release sends (%s)", (kind) => {
  const release = last[kind];

  test("everything is carried out", async () => {
    const today = new Today({ codecs: kind === "packed" ? [msgpackCodec] : [] });
    await today.connect("ann", "lobby");
    await today.connect("bob", "lobby", "attic");
    const toPrograms: unknown[] = [];
    today.hub.onNode("reload", (data, node) => {
      toPrograms.push(data, node);
    });
    const heard: Record<string, readonly unknown[]> = {};
    const nodes: unknown[] = [];
    for (const operation of Object.keys(release.operations)) {
      await today.play(release, operation);
      heard[operation] = [today.heard("ann"), today.heard("bob")];
      nodes.push(today.hub.nodes.map(({ id }) => id));
    }
    expect(heard).toMatchObject({
      "emit to a room": both(news({ text: "ä" }, "lobby")),
      "emit to a union": both(news(1)),
      "emit with exceptions": [[news(2, "lobby")], []],
      "emit to everybody": both(news(3)),
      "emit to a user": [[news(4)], []],
      "emit to a socket": [[news(5)], []],
      "emit volatile": both(news(6, "lobby")),
      "emit the latest": both(news(7, "lobby")),
      "send a text": both("text"),
      "send bytes": both([1, 2, 255]),
      request: both({ event: "question", data: 8, room: "lobby" }),
      "request of a union": both({ event: "question", data: 9 }),
      "emit behind a join": both(news(10, "kitchen")),
      close: both(4_005),
    });
    const data = { when: new Date(0), set: new Set([1]) };
    expect(toPrograms).toEqual([data, { id: release.node, name: "recorded" }]);
    expect([nodes[0], nodes.at(-1), today.errors]).toEqual([[release.node], [], []]);
  });
});

/** Returns what a node of the last release reads in an envelope. */
function readByLast(envelope: Envelope): unknown {
  if (envelope.kind !== "frames") {
    // The id of a question that a node asks is random.
    return JSON.parse(JSON.stringify(envelope, (key, value: unknown) => (key === "id" && value !== 7 ? 0 : value)));
  }
  const { selection, asking, messages } = envelope;
  const shapes = messages.map(({ protocol, payload, binary }) => {
    const bytes = asking === undefined ? Buffer.from(payload).toString("base64") : undefined;
    // The codec of its plain clients has an empty name, and a message without a name is for all clients.
    return { protocol: protocol ?? "", binary, bytes };
  });
  return { ...selection, asking: asking && { ...asking, id: 0 }, shapes };
}

/** What a node of the last release reads in bundles. It joins the answers to a question, however they are divided. */
function readInBundles(published: readonly Published[]): readonly unknown[] {
  const bundles: [channel: string, envelopes: readonly Envelope[]][] = [];
  for (const [channel, bundle] of published) {
    const { envelopes } = decodeBundle(Buffer.from(bundle, "base64"));
    const [before, answer] = [answerIn(bundles.at(-1)?.[1]), answerIn(envelopes)];
    if (before === undefined || before.id !== answer?.id) bundles.push([channel, envelopes]);
    else bundles.splice(-1, 1, [channel, [{ kind: "control", control: { ...before, ...answer } }]]);
  }
  return bundles.map(([channel, envelopes]) => [channel, envelopes.map((envelope) => readByLast(envelope))]);
}

/** The answer that is all of a bundle. */
function answerIn(envelopes: readonly Envelope[] = []): QueryAnswer | undefined {
  const [only, next] = envelopes;
  return only?.kind === "control" && only.control.type === "answer" && next === undefined ? only.control : undefined;
}

/** Returns whether bundles mean nothing to a node of the last release: the confirmation of a join, and its copies. */
function isForToday([channel, bundle]: Published): boolean {
  const { envelopes } = decodeBundle(Buffer.from(bundle, "base64"));
  return envelopes.every((each) => {
    return each.kind === "control" ? "syncs" in each.control : channel === "nodes";
  });
}

describe.each(["plain", "packed"] as const)("a node of the last release (%s)", (kind) => {
  const release = last[kind];
  const codecs = kind === "packed" ? [msgpackCodec] : [];

  test("reads in what a node of today sends what its own would send", async () => {
    const today = await record(codecs);
    const names = { [today.socket]: release.socket, [today.node]: release.node };
    for (const [operation, published] of Object.entries(release.operations)) {
      const sent = (today.operations[operation] as readonly Published[])
        .filter((each) => !isForToday(each))
        .map((each) => renamed(each, names));
      expect([operation, readInBundles(sent)]).toMatchObject([operation, readInBundles(published)]);
    }
  });

  test("takes what is sent uncompressed for any other message", async () => {
    const backplane = new HandBackplane();
    const hub = new Hub({ transport: memory(), backplane, codecs });
    onTestFinished(() => hub.close());
    await settle();
    const publishedBy = async (target: Target): Promise<readonly Published[]> => {
      backplane.published = [];
      target.emit("news", 1);
      target.send("text");
      void target.request("question", 2, { timeout: 1_000 });
      await settle();
      return backplane.published;
    };
    const lobby = hub.to("lobby");
    const [usual, uncompressed] = [await publishedBy(lobby), await publishedBy(lobby.uncompressed)];
    expect(JSON.stringify(readInBundles(usual))).not.toContain("uncompressed");
    expect(JSON.stringify(readInBundles(uncompressed))).toContain("uncompressed");
    expect(readInBundles(uncompressed)).toMatchObject(readInBundles(usual));
  });

  test("counts the copies of a message by the channels that each names", async () => {
    const { operations } = await record(codecs);
    const sent = new Map<number, string[]>();
    const named = new Map<number, readonly string[]>();
    for (const [channel, bundle] of Object.values(operations).flat()) {
      for (const envelope of decodeBundle(Buffer.from(bundle, "base64")).envelopes) {
        if (envelope.kind !== "frames" || envelope.selection.number === undefined) continue;
        const { number, routes = [] } = envelope.selection;
        sent.set(number, [...(sent.get(number) ?? []), channel]);
        named.set(number, routes);
      }
    }
    expect(sent).toEqual(named);
    expect([...sent.values()]).toContainEqual(["room:kitchen", "nodes"]);
  });
});

test("a node of the last release answers no requests to programs, and is named as silent", async () => {
  const clock = new VirtualClock();
  const today = new Today({ clock });
  await clock.advance(1_000);
  await today.play(last.plain, "arrive");
  today.backplane.published = [];
  const all = today.hub.requestNodes("question", 1, { timeout: 500 });
  const one = today.hub.toNode(last.plain.node).request("question", 2, { timeout: 500 });
  const reason = one.catch((error: unknown) => error);
  // What it is asked is a control of a type that it does not know, and ignores.
  const types = today.backplane.published.flatMap(([, bundle]) => {
    const { envelopes } = decodeBundle(Buffer.from(bundle, "base64"));
    return envelopes.map((each) => (each.kind === "control" ? each.control.type : each.kind));
  });
  await clock.advance(500);
  expect(await reason).toMatchObject({ code: "ERR_HUB_TIMEOUT" });
  const { replies, failures, silent } = await all;
  expect([replies.size, [...failures.keys()], silent]).toEqual([0, [last.plain.node], ["recorded"]]);
  expect([types, today.errors]).toEqual([["request"], []]);
});

describe("what a node does not understand", () => {
  const payload = Buffer.from('{"event":"news","data":1}');
  const frames = (protocol: string | undefined): Buffer => {
    const messages = [{ protocol, binary: false, payload }];
    return encodeFrames({ selection: {}, manner: {}, asking: undefined, messages });
  };
  const later = encodeControl({ type: "of a later release" } as never);
  const unknownKind = Buffer.from([9, 1, 2, 3]);
  const unclonable = Buffer.from([2, 0xff, 0xfe]);

  test("is reported once, and the rest of the bundle is carried out", async () => {
    const today = new Today();
    await today.connect("ann", "lobby");
    const known = frames("");
    for (let count = 0; count < 3; count++) {
      today.backplane.receive("room:lobby", encodeBundle(PEER, [later, unknownKind, unclonable, known]));
      const foreign = encodeBundle(PEER, [known]);
      foreign[0] = 3;
      today.backplane.receive("room:lobby", foreign);
    }
    await settle();
    expect(today.heard("ann")).toHaveLength(3);
    const whose = 'This node does not understand the node "peer-node-", and loses what it has sent.';
    expect(today.errors).toEqual([
      `${whose} A control of the type "of a later release" is unknown.`,
      `${whose} An envelope of the kind 9 is unknown.`,
      expect.stringMatching(`^${whose} Unable to deserialize`),
      "What came from another node cannot be read.",
    ]);
  });

  test("is an entry of a log that Redis hands over, for a node of a release that knows no logs", async () => {
    const today = new Today();
    await today.connect("ann", "lobby");
    const bundle = encodeBundle(PEER, [frames("")]);
    const entry = encodeEntry({ origin: PEER, number: 1, envelope: bundle });
    for (let count = 1; count <= 3; count++) {
      today.backplane.receive("room:lobby", Buffer.concat([Buffer.from(`\u0000\u0001179-ab 179-${count}\n`), entry]));
      today.backplane.receive("room:lobby", bundle);
    }
    await settle();
    expect(today.heard("ann")).toHaveLength(3);
    expect(today.errors).toEqual(["What came from another node cannot be read."]);
  });

  test.each<[what: string, bundleOf: (count: number, from: string) => Buffer]>([
    [
      "an envelope that ends early",
      (count, from) => encodeBundle(from, [Buffer.concat([Buffer.of(1, 127), Buffer.alloc(count)])]),
    ],
    ["an envelope of another kind", (count, from) => encodeBundle(from, [Buffer.alloc(count + 1, 9)])],
    [
      "a control with wrong fields",
      (count, from) => encodeBundle(from, [encodeControl({ type: "probe", id: count, routes: count } as never)]),
    ],
    ["a bundle that ends early", (count, from) => Buffer.concat([encodeBundle(from, []), Buffer.of(5 + count)])],
  ])("is reported once an hour for each node: %s", async (_, bundleOf) => {
    const clock = new VirtualClock();
    const today = new Today({ clock });
    await settle();
    const receive = (): void => {
      for (let count = 0; count < 100; count++) {
        for (const node of [PEER, "third-node"]) today.backplane.receive("nodes", bundleOf(count, node));
      }
    };
    for (const [minutes, reports] of [
      [0, 2],
      [59, 2],
      [1, 4],
      [59, 4],
      [1, 6],
      [600, 8],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop
      await clock.advance(minutes * 60_000);
      receive();
      expect(today.errors).toHaveLength(reports);
    }
  });

  test("is a codec that other nodes do not have yet: for its clients alone messages are lost", async () => {
    const today = new Today({ codecs: [msgpackCodec] });
    await today.connect("ann", "lobby");
    await today.connect("bob", "lobby");
    await today.connectPacked("lobby");
    for (let count = 0; count < 3; count++) today.backplane.receive("room:lobby", encodeBundle(PEER, [frames("")]));
    await settle();
    expect([today.heard("ann").length, today.heard("bob").length]).toEqual([3, 3]);
    expect(today.errors).toEqual([expect.stringContaining(`"${msgpackCodec.protocol}"`)]);
  });

  test("is never taken for a message that is sent as it is, which goes to the clients of every codec", async () => {
    const backplane = new HandBackplane();
    const hub = new Hub({ transport: memory(), backplane });
    onTestFinished(() => hub.close());
    await settle();
    backplane.published = [];
    hub.to("lobby").emit("news", 1);
    hub.to("lobby").send("as it is");
    await settle();
    const protocols = backplane.published.flatMap(([, bundle]) => {
      const { envelopes } = decodeBundle(Buffer.from(bundle, "base64"));
      return envelopes.flatMap((each) => (each.kind === "frames" ? each.messages.map(({ protocol }) => protocol) : []));
    });
    expect(protocols).toEqual(["", undefined]);
  });
});
