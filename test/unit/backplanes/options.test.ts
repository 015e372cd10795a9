import { inspect } from "node:util";
import * as fc from "fast-check";
import { cluster, setupPrimary } from "roomcast/backplanes/cluster";
import { nats } from "roomcast/backplanes/nats";
import { redis } from "roomcast/backplanes/redis";
import { describe, expect, test } from "vitest";
import { subjectOf } from "../../../src/backplanes/nats/subject.ts";
import { hubError } from "../../support/hub-error.ts";

function thrownBy(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

const wrong = [
  ["redis", redis, { url: "http://localhost" }, "url"],
  ["redis", redis, { url: "redis://127.0.0.1/1" }, "url"],
  ["redis", redis, { url: "redis://127.0.0.1?db=1" }, "url"],
  ["redis", redis, { client: {} }, "client"],
  ["redis", redis, { prefix: "" }, "prefix"],
  ["redis", redis, { host: "localhost" }, "host"],
  ["nats", nats, { servers: [] }, "servers"],
  ["nats", nats, { servers: 4222 }, "servers"],
  ["nats", nats, { servers: "nats://127.0.0.1:x" }, "servers"],
  ["nats", nats, { servers: ["127.0.0.1", ""] }, "servers"],
  ["nats", nats, { options: { servers: "x" } }, "options"],
  ["nats", nats, { connection: {} }, "connection"],
  ["nats", nats, { prefix: "a.b" }, "prefix"],
  ["nats", nats, { records: "file" }, "records"],
  ["nats", nats, { records: { storage: "tape" } }, "storage"],
  ["nats", nats, { records: { replicas: 0 } }, "replicas"],
  ["cluster", cluster, { prefix: 1 }, "prefix"],
  ["setupPrimary", setupPrimary, { maxBytes: 0 }, "maxBytes"],
] as const;

describe("an option of a backplane", () => {
  test.each(wrong)("of %s that is wrong is named", (_name, create, options, option) => {
    const call = (): unknown => (create as (options: unknown) => unknown)(options);
    expect(call).toThrow(hubError("ERR_HUB_OPTION"));
    expect(call).toThrow(`"${option}"`);
  });
});

describe("an address", () => {
  const unencoded = [
    [redis, "url", "redis://:sec#ret@127.0.0.1:6379"],
    [redis, "url", "redis://:sec/ret@127.0.0.1:6379"],
    [redis, "url", "redis://user:12/secret@127.0.0.1:6379"],
    [redis, "url", "redis://:secret%@127.0.0.1:6379"],
    [nats, "servers", "nats://user:sec#ret@127.0.0.1:4222"],
  ] as const;

  test.each(unencoded)(
    "of %o with a password that is not encoded is refused and not repeated",
    (create, name, value) => {
      const call = (): unknown => (create as (options: unknown) => unknown)({ [name]: value });
      expect(call).toThrow(hubError("ERR_HUB_OPTION"));
      expect(inspect(thrownBy(call))).not.toMatch(/sec|ret@/);
    },
  );

  const readable = [
    [redis, "url", `redis://user:${encodeURIComponent("s#/?:@%")}@127.0.0.1:6379`],
    [redis, "url", "rediss://[::1]:6379/0"],
    [redis, "url", "redis://redis.internal/"],
    [nats, "servers", "127.0.0.1"],
    [nats, "servers", ["nats://nats.internal:4222", "[::1]:4222", "::1", "tls://nats.internal"]],
  ] as const;

  test.each(readable)("of %o that the package can read is taken", (create, name, value) => {
    expect((create as (options: unknown) => unknown)({ [name]: value })).toBeDefined();
  });
});

describe("the subject of a channel", () => {
  const channels = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "binary", minLength: 300, maxLength: 3_000 }),
  );

  test("is one that a server takes", () => {
    fc.assert(
      fc.property(channels, (channel) => {
        const subject = subjectOf("roomcast", channel);
        expect(subject).toMatch(/^roomcast\.[\w=-]*$/);
        expect(subject.length).toBeLessThan(3_000);
      }),
    );
  });

  test("is another one for each channel", () => {
    fc.assert(
      fc.property(channels, channels, (one, other) => {
        expect(subjectOf("p", one) === subjectOf("p", other)).toBe(one === other);
      }),
    );
    // Halves of surrogate pairs, which have no bytes of their own in UTF-8.
    expect(subjectOf("p", "\ud800")).not.toBe(subjectOf("p", "\ud801"));
    expect(subjectOf("p", "\ud800".repeat(1_000))).not.toBe(subjectOf("p", "\ud801".repeat(1_000)));
  });

  test("can be read", () => {
    expect(subjectOf("roomcast", "room:lobby-1")).toBe("roomcast.room=003alobby-1");
  });
});
