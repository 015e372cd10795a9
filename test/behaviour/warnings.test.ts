import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { setImmediate as turn } from "node:timers/promises";
import { createEmitter, Hub, ReplyError, type HubOptions, type Socket } from "roomcast";
import { MemoryEngine, VirtualClock, type SuiteClient, type SuiteConnectOptions } from "roomcast/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { SUBJECTS } from "../support/hub-fixture.ts";
import { collectWarnings } from "../support/warnings.ts";

interface WarningsFixture {
  readonly hub: Hub;
  readonly connect: (options?: SuiteConnectOptions) => SuiteClient;
}

/** Sends a request for the event, and waits for the answer. */
async function ask(client: SuiteClient, event: string): Promise<unknown> {
  client.send(JSON.stringify({ event, id: 1 }));
  return client.next();
}

function addFailing(hub: Hub): void {
  hub.handle("fail", () => {
    throw new TypeError("line one\u001B[2J\nline two");
  });
}

describe.each(SUBJECTS)("a hub on $name without listeners", (subject) => {
  async function open(options: HubOptions = {}): Promise<WarningsFixture> {
    const transport = subject.create();
    const hub = new Hub({ heartbeat: false, welcome: false, clock: new VirtualClock(), ...options, transport });
    const { port } = await hub.listen({ host: "127.0.0.1" });
    onTestFinished(() => hub.close());
    return { hub, connect: (connection = {}) => subject.connect(transport, port, connection) };
  }

  test("warns once of what a handler throws, with its stack, and escaped", async () => {
    const warnings = collectWarnings();
    const { hub, connect } = await open();
    addFailing(hub);
    const client = connect();
    await client.opened;
    await ask(client, "fail");
    await ask(client, "fail");
    const [warning, ...more] = warnings;
    expect(more).toEqual([]);
    expect(warning).toMatchObject({ type: "HubWarning", code: "HUB_UNHEARD_FAILURE" });
    expect(warning?.message).toContain(String.raw`(handler, "fail"): TypeError: line one\u001b[2J\u000aline two - `);
    expect(warning?.detail).toMatch(/^ {4}at .*warnings\.test\.ts/);
  });

  test("explains what throws where code was written for another library", async () => {
    const warnings = collectWarnings();
    const { hub, connect } = await open({
      authenticate: ({ auth, query }) => {
        const { token } = query.has("guest") ? { token: "secret" } : (auth as { token: string });
        return token === "secret" ? { id: "ann" } : undefined;
      },
    });
    await expect(connect().opened).rejects.toMatchObject({ status: 401 });
    const client = connect({ url: "/?guest" });
    await client.opened;
    hub.handle("sum", (_, callback) => (callback as unknown as (sum: number) => void)(3));
    await ask(client, "sum");
    hub.use((socket, next) => (socket as unknown as Socket).handshake.query.has("token") && next());
    await ask(client, "sum");
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining("handshake.auth is what the client gives, connect(url, { auth }), and undefined for"),
      expect.stringContaining("callback is not a function - A handler gets no callback: what it returns is the reply."),
      expect.stringContaining('for connections use the option "authenticate".'),
    ]);
  });

  test("warns of a page of another origin, and of no other refusal", async () => {
    const warnings = collectWarnings();
    const { connect } = await open({ maxConnections: 1 });
    const headers = { host: "api.example", origin: "https://shop.example" };
    await expect(connect({ headers }).opened).rejects.toMatchObject({ status: 403 });
    await expect(connect({ headers }).opened).rejects.toMatchObject({ status: 403 });
    await connect().opened;
    await expect(connect().opened).rejects.toMatchObject({ status: 503 });
    expect(warnings).toMatchObject([
      {
        type: "HubWarning",
        code: "HUB_UNHEARD_REFUSAL",
        message: expect.stringMatching(
          /"https:\/\/shop\.example" from the host "api\.example".*\$http_host.*the entry "https.*docs\/TROUBLESHOOTING\.md/,
        ) as string,
      },
    ]);
  });

  test("warns of a failure, though somebody has subscribed to the channel", async () => {
    const heard: unknown[] = [];
    const subscriber = (message: unknown): void => void heard.push(message);
    subscribe("roomcast:error", subscriber);
    onTestFinished(() => void unsubscribe("roomcast:error", subscriber));
    const warnings = collectWarnings();
    const { hub, connect } = await open();
    addFailing(hub);
    const client = connect();
    await client.opened;
    await ask(client, "fail");
    expect(heard).toHaveLength(1);
    expect(warnings).toHaveLength(1);
  });

  test("warns of nothing that clients do wrong, or that handlers answer", async () => {
    const warnings = collectWarnings();
    const { hub, connect } = await open();
    hub.handle("refuse", () => {
      throw new ReplyError("no", "No.");
    });
    const client = connect();
    await client.opened;
    await ask(client, "refuse");
    await ask(client, "unknown");
    client.send("nonsense");
    await client.next();
    client.vanish();
    await client.closed;
    await hub.close();
    expect(warnings).toEqual([]);
  });

  test("warns of nothing once it has listeners", async () => {
    const warnings = collectWarnings();
    const { hub, connect } = await open();
    addFailing(hub);
    const heard: string[] = [];
    hub.on("error", (_, { source }) => heard.push(source));
    hub.on("refusal", ({ reason, host }) => heard.push(`${reason} ${host}`));
    const client = connect();
    await client.opened;
    await ask(client, "fail");
    const headers = { host: "api.example", origin: "https://shop.example" };
    await expect(connect({ headers }).opened).rejects.toMatchObject({ status: 403 });
    expect(heard).toEqual(["handler", "origin api.example"]);
    expect(warnings).toEqual([]);
  });

  test("warns of an error listener that fails itself", async () => {
    const warnings = collectWarnings();
    const { hub, connect } = await open();
    addFailing(hub);
    hub.on("error", () => {
      throw new Error("The logger is broken");
    });
    const client = connect();
    await client.opened;
    await ask(client, "fail");
    expect(warnings).toMatchObject([
      { message: expect.stringContaining('(listener, "error"): Error: The logger is broken') as string },
    ]);
  });
});

test.each([
  ["warns of an outage without onError", undefined, 1],
  ["warns of nothing with onError", (): void => {}, 0],
])("an emitter %s", async (_, onError, count) => {
  const warnings = collectWarnings();
  const engine = new MemoryEngine();
  engine.stop();
  const emitter = createEmitter(engine.backplane(), { onError });
  onTestFinished(() => emitter.close());
  await turn();
  expect(warnings).toHaveLength(count);
  for (const { message } of warnings) expect(message).toMatch(/^Unheard failure \(backplane\): .*"onError"/);
});
