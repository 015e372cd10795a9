import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { HubOptions } from "roomcast";
import { describe, expect, it, onTestFinished } from "vitest";
import { Handshake } from "../../../src/members/handshake.ts";
import { hubError } from "../../support/hub-error.ts";
import { ALL_TRANSPORTS, HandshakeFixture } from "./handshake-fixture.ts";

const FOREIGN = { headers: { origin: "https://evil.example" } };

describe.each(ALL_TRANSPORTS)("pages, on %s", (transport) => {
  const open = (options?: HubOptions): Promise<HandshakeFixture> => HandshakeFixture.open(transport, options);

  it("may connect by default from the same host, as may clients that are not browsers", async () => {
    const fixture = await open();
    const at = (origin: string, host: string): Promise<number | undefined> =>
      fixture.status({ headers: { origin, host } });
    expect(await at("https://chat.example", "chat.example")).toBe(101);
    expect(await at("http://chat.example:8080", "chat.example:8080")).toBe(101);
    expect(await at("https://evil.example", "chat.example")).toBe(403);
    expect(await at("http://chat.example:8080", "chat.example:9090")).toBe(403);
    expect(await at("null", "chat.example")).toBe(403);
    expect(await fixture.status()).toBe(101);
  });

  it("may connect from any origin if that is allowed", async () => {
    const fixture = await open({ origins: "*" });
    expect(await fixture.status(FOREIGN)).toBe(101);
    expect(await fixture.status({ headers: { origin: "null" } })).toBe(101);
  });

  it("may connect from listed origins", async () => {
    const fixture = await open({ origins: ["https://chat.example"] });
    expect(await fixture.status({ headers: { origin: "https://chat.example" } })).toBe(101);
    expect(await fixture.status({ headers: { origin: "http://127.0.0.1", host: "127.0.0.1" } })).toBe(403);
    expect(await fixture.status()).toBe(101);
  });

  it("may connect if a function allows their origin", async () => {
    const asked: unknown[] = [];
    const fixture = await open({
      origins: (origin, { remoteAddress }) => {
        asked.push([origin, remoteAddress]);
        return origin.endsWith(".example");
      },
    });
    expect(await fixture.status(FOREIGN)).toBe(101);
    expect(await fixture.status({ headers: { origin: "https://evil.test" } })).toBe(403);
    expect(asked).toEqual([
      ["https://evil.example", "127.0.0.1"],
      ["https://evil.test", "127.0.0.1"],
    ]);
  });

  it("may not connect if the function fails, which is reported", async () => {
    const broken = new Error("broken");
    const fixture = await open({
      origins: () => {
        throw broken;
      },
    });
    expect(await fixture.status(FOREIGN)).toBe(403);
    expect(await fixture.failures.next()).toEqual({ error: broken, source: "origins" });
    expect(await fixture.status()).toBe(101);
    expect(fixture.failures.take()).toEqual([]);
  });

  it("may not connect if the function is asynchronous", async () => {
    const fixture = await open({ origins: (async () => true) as unknown as () => boolean });
    expect(await fixture.status(FOREIGN)).toBe(403);
    expect((await fixture.failures.next())?.error).toEqual(hubError("ERR_HUB_OPTION", "promise"));
  });

  it("may connect from the host that the client named to the proxy", async () => {
    const fixture = await open({ trustProxy: 1 });
    const headers = { origin: "https://chat.example", host: "inner:8080", "x-forwarded-host": "chat.example" };
    expect(await fixture.status({ headers })).toBe(101);
    expect(await fixture.status({ headers: { ...headers, "x-forwarded-host": "other.example" } })).toBe(403);
  });

  it("may connect from the port that the client named to the proxy, wherever the proxy tells of it", async () => {
    const fixture = await open({ trustProxy: 1 });
    const at = (headers: Record<string, string>): Promise<number | undefined> =>
      fixture.status({ headers: { origin: "https://chat.example:8443", "x-forwarded-proto": "https", ...headers } });
    expect(await at({ host: "chat.example:8443", "x-forwarded-host": "chat.example" })).toBe(101);
    expect(await at({ host: "chat.example", "x-forwarded-port": "8443" })).toBe(101);
    expect(await at({ host: "inner:8080", "x-forwarded-host": "chat.example", "x-forwarded-port": "8443" })).toBe(101);
    expect(await at({ host: "chat.example", "x-forwarded-host": "chat.example" })).toBe(403);
    expect(await at({ host: "chat.example:8444", "x-forwarded-host": "chat.example" })).toBe(403);
    expect(await at({ host: "chat.example", "x-forwarded-port": "8444" })).toBe(403);
    expect(await at({ host: "inner:8443", "x-forwarded-host": "chat.example" })).toBe(403);
  });

  it("may connect behind a proxy that is trusted wherever they may behind one that is not", async () => {
    const trusting = await open({ trustProxy: 1 });
    const plain = await open();
    const headers = { origin: "https://chat.example:8443", host: "chat.example:8443" };
    for (const forwarded of ["chat.example", "chat.example:8443", "chat.example:8080", "CHAT.example:443", ""]) {
      const request = { headers: { ...headers, "x-forwarded-host": forwarded, "x-forwarded-port": "8080" } };
      expect(await plain.status(request)).toBe(101);
      expect(await trusting.status(request)).toBe(101);
    }
  });

  it("may not connect from a host that an untrusted proxy names", async () => {
    const fixture = await open({ trustProxy: ["10.0.0.1"] });
    const headers = { origin: "https://chat.example", host: "inner:8080", "x-forwarded-host": "chat.example" };
    expect(await fixture.status({ headers })).toBe(403);
    const port = { origin: "https://inner:8443", host: "inner", "x-forwarded-port": "8443" };
    expect(await fixture.status({ headers: port })).toBe(403);
  });

  it("may not connect from a foreign host, whatever a proxy that is not trusted adds", async () => {
    const fixture = await open({ trustProxy: ["127.0.0.0/8"] });
    const chain = { "x-forwarded-for": "203.0.113.9, 198.51.100.7", host: "chat.example" };
    const at = (hosts: string, ports = ""): Promise<number | undefined> =>
      fixture.status({
        headers: { ...chain, origin: "https://evil.example", "x-forwarded-host": hosts, "x-forwarded-port": ports },
      });
    // The hop at 198.51.100.7 is not trusted: what stands left of the entry of the trusted proxy is its claim.
    expect(await at("evil.example, chat.example")).toBe(403);
    expect(await at("evil.example, evil.example, chat.example", "443, 443, 443")).toBe(403);
    expect(await at("chat.example.evil.example, chat.example")).toBe(403);
    expect(await at("chat.example@evil.example")).toBe(403);
    expect(await at("chat.example", "443@evil.example")).toBe(403);
    expect(await at("chat.example", ":443")).toBe(403);
  });

  it("of the host by which the proxy reaches the hub may not connect", async () => {
    const fixture = await open({ trustProxy: 1 });
    const headers = { host: "backend:8080", "x-forwarded-host": "chat.example" };
    expect(await fixture.status({ headers: { ...headers, origin: "http://backend:8080" } })).toBe(403);
    expect(await fixture.status({ headers: { ...headers, origin: "https://chat.example" } })).toBe(101);
  });

  it("are checked with library clients, too", async () => {
    const fixture = await open();
    expect(await fixture.status({ ...FOREIGN, protocols: ["roomcast.v1.json"] })).toBe(403);
  });

  it("are refused before the application is asked to admit or authenticate them", async () => {
    const asked: string[] = [];
    const fixture = await open({
      admit: () => asked.push("admit") > 0,
      authenticate: () => {
        asked.push("authenticate");
        return { id: "ann" };
      },
    });
    expect(await fixture.status(FOREIGN)).toBe(403);
    expect(asked).toEqual([]);
    expect(await fixture.status()).toBe(101);
    expect(asked).toEqual(["admit", "authenticate"]);
  });

  it("are refused by the answer, the event and the channel", async () => {
    const fixture = await open();
    const published: unknown[] = [];
    const listener = (message: unknown): void => {
      if ((message as { hub: unknown }).hub === fixture.hub) published.push(message);
    };
    subscribe("roomcast:refusal", listener);
    onTestFinished(() => void unsubscribe("roomcast:refusal", listener));
    const answer = await fixture.ask({ headers: { ...FOREIGN.headers, host: "chat.example" } });
    expect(answer).toMatchObject({ status: 403, retryAfter: undefined });
    expect(answer?.body).toMatch(/origin/i);
    const refusal = await fixture.refusals.next();
    expect(refusal).toMatchObject({ status: 403, reason: "origin", host: "chat.example" });
    expect(refusal?.advice).toContain("proxy_set_header Host $http_host;");
    expect(refusal?.handshake).toBeInstanceOf(Handshake);
    expect(refusal?.handshake.headers["origin"]).toBe("https://evil.example");
    expect(published).toEqual([{ hub: fixture.hub, ...refusal }]);
    expect(fixture.failures.take()).toEqual([]);
    expect(fixture.hub.stats().refusals).toBe(1);
  });
});

describe.each(ALL_TRANSPORTS)("clients behind a proxy, on %s", (transport) => {
  it("have the address that the proxy saw", async () => {
    const fixture = await HandshakeFixture.open(transport, { trustProxy: 1 });
    const headers = { "x-forwarded-for": "1.1.1.1, 198.51.100.7", "x-forwarded-proto": "https" };
    const { handshake } = (await fixture.accepted({ headers })).socket;
    expect([handshake.remoteAddress, handshake.secure]).toEqual(["198.51.100.7", true]);
  });

  it("have their own address where no proxy is trusted", async () => {
    const fixture = await HandshakeFixture.open(transport);
    const headers = { "x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https" };
    const { handshake } = (await fixture.accepted({ headers })).socket;
    expect([handshake.remoteAddress, handshake.secure]).toEqual(["127.0.0.1", false]);
  });

  it("have the same address in `authenticate`, in a refusal and on their sockets", async () => {
    const addresses: string[] = [];
    const fixture = await HandshakeFixture.open(transport, {
      trustProxy: ["127.0.0.0/8"],
      authenticate: ({ remoteAddress }) => {
        addresses.push(remoteAddress);
        return false;
      },
    });
    expect(await fixture.status({ headers: { "x-forwarded-for": "2001:db8::7, 127.0.0.2" } })).toBe(401);
    expect(addresses).toEqual(["2001:db8::7"]);
    expect((await fixture.refusals.next())?.handshake.remoteAddress).toBe("2001:db8::7");
  });
});
