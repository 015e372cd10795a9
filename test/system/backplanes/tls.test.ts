import { describe, expect, test, type TestContext } from "vitest";
import { CERT_FILE, KEY_FILE } from "../../support/certificate.ts";
import { freePort } from "../../support/free-port.ts";
import { NatsServer } from "../engines/nats.ts";
import type { EngineProcess } from "../engines/process.ts";
import { RedisServer } from "../engines/redis.ts";
import { ForeignNode } from "./foreign-node.ts";
import { until } from "./local-node.ts";
import { tlsFront } from "./tls-front.ts";

/** Servers that speak TLS, each with the port at which it does. */
const SERVERS = {
  "nats over TLS": async (t: TestContext): Promise<[EngineProcess, number]> => {
    const server = await NatsServer.start(`tls { cert_file: "${CERT_FILE}", key_file: "${KEY_FILE}" }`);
    t.onTestFinished(() => server.stop());
    return [server.process, server.port];
  },
  "nats, TLS first": async (t: TestContext): Promise<[EngineProcess, number]> => {
    const server = await NatsServer.start();
    t.onTestFinished(() => server.stop());
    return [server.process, await tlsFront(t, server.port)];
  },
  "redis over TLS": async (t: TestContext): Promise<[EngineProcess, number]> => {
    const port = await freePort();
    const files = ["--tls-cert-file", CERT_FILE, "--tls-key-file", KEY_FILE, "--tls-auth-clients", "no"];
    const server = await RedisServer.start(["--tls-port", `${port}`, ...files]);
    t.onTestFinished(() => server.stop());
    return [server.process, port];
  },
} as const;

describe.each(["nats over TLS", "nats, TLS first", "redis over TLS"] as const)("%s", (kind) => {
  test.concurrent("a node outlives an engine that stands still, and ends without an error", async (t) => {
    const [server, port] = await SERVERS[kind](t);
    const node = await ForeignNode.start(t, kind, port);
    await node.synced();
    server.freeze();
    await until(() => node.errors.length > 0);
    server.thaw();
    await node.synced();
    expect(await node.close()).toEqual([0, null]);
    expect(node.errors).toEqual(["ERR_HUB_BACKPLANE"]);
  });
});
