import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { HubOptions } from "roomcast";
import { describe, expect, it, onTestFinished } from "vitest";
import { Handshake } from "../../../src/members/handshake.ts";
import { hubError } from "../../support/hub-error.ts";
import { ALL_TRANSPORTS, House } from "./house.ts";

const FOREIGN = { headers: { origin: "https://evil.example" } };

describe.each(ALL_TRANSPORTS)("pages, on %s", (transport) => {
  const open = (options?: HubOptions): Promise<House> => House.open(transport, options);

  it("by default those of the same host, and who is no browser", async () => {
    const house = await open();
    const at = (origin: string, host: string): Promise<number | undefined> =>
      house.status({ headers: { origin, host } });
    expect(await at("https://chat.example", "chat.example")).toBe(101);
    expect(await at("http://chat.example:8080", "chat.example:8080")).toBe(101);
    expect(await at("https://evil.example", "chat.example")).toBe(403);
    expect(await at("http://chat.example:8080", "chat.example:9090")).toBe(403);
    expect(await at("null", "chat.example")).toBe(403);
    expect(await house.status()).toBe(101);
  });

  it("of any origin", async () => {
    const house = await open({ origins: "*" });
    expect(await house.status(FOREIGN)).toBe(101);
    expect(await house.status({ headers: { origin: "null" } })).toBe(101);
  });

  it("of listed origins", async () => {
    const house = await open({ origins: ["https://chat.example"] });
    expect(await house.status({ headers: { origin: "https://chat.example" } })).toBe(101);
    expect(await house.status({ headers: { origin: "http://127.0.0.1", host: "127.0.0.1" } })).toBe(403);
    expect(await house.status()).toBe(101);
  });

  it("whom a function lets in", async () => {
    const asked: unknown[] = [];
    const house = await open({
      origins: (origin, { remoteAddress }) => {
        asked.push([origin, remoteAddress]);
        return origin.endsWith(".example");
      },
    });
    expect(await house.status(FOREIGN)).toBe(101);
    expect(await house.status({ headers: { origin: "https://evil.test" } })).toBe(403);
    expect(asked).toEqual([
      ["https://evil.example", "127.0.0.1"],
      ["https://evil.test", "127.0.0.1"],
    ]);
  });

  it("none if the function fails, which is reported", async () => {
    const broken = new Error("broken");
    const house = await open({
      origins: () => {
        throw broken;
      },
    });
    expect(await house.status(FOREIGN)).toBe(403);
    expect(await house.failures.next()).toEqual({ error: broken, source: "origins" });
    expect(await house.status()).toBe(101);
    expect(house.failures.take()).toEqual([]);
  });

  it("none if the function is asynchronous", async () => {
    const house = await open({ origins: (async () => true) as unknown as () => boolean });
    expect(await house.status(FOREIGN)).toBe(403);
    expect((await house.failures.next())?.error).toEqual(hubError("ERR_HUB_OPTION", "promise"));
  });

  it("of the host that the client asked the proxy for", async () => {
    const house = await open({ trustProxy: 1 });
    const headers = { origin: "https://chat.example", host: "inner:8080", "x-forwarded-host": "chat.example" };
    expect(await house.status({ headers })).toBe(101);
    expect(await house.status({ headers: { ...headers, "x-forwarded-host": "other.example" } })).toBe(403);
  });

  it("not of a host that a stranger tells of", async () => {
    const house = await open({ trustProxy: ["10.0.0.1"] });
    const headers = { origin: "https://chat.example", host: "inner:8080", "x-forwarded-host": "chat.example" };
    expect(await house.status({ headers })).toBe(403);
  });

  it("library clients are asked as well", async () => {
    const house = await open();
    expect(await house.status({ ...FOREIGN, protocols: ["roomcast.v1.json"] })).toBe(403);
  });

  it("nobody is authenticated or admitted for a page that may not connect", async () => {
    const asked: string[] = [];
    const house = await open({
      admit: () => asked.push("admit") > 0,
      authenticate: () => {
        asked.push("authenticate");
        return { id: "ann" };
      },
    });
    expect(await house.status(FOREIGN)).toBe(403);
    expect(asked).toEqual([]);
    expect(await house.status()).toBe(101);
    expect(asked).toEqual(["admit", "authenticate"]);
  });

  it("a refusal is told: by the answer, by the event and on the channel", async () => {
    const house = await open();
    const published: unknown[] = [];
    const listener = (message: unknown): void => {
      if ((message as { hub: unknown }).hub === house.hub) published.push(message);
    };
    subscribe("roomcast:refusal", listener);
    onTestFinished(() => void unsubscribe("roomcast:refusal", listener));
    const answer = await house.ask(FOREIGN);
    expect(answer).toMatchObject({ status: 403, retryAfter: undefined });
    expect(answer?.body).toMatch(/origin/i);
    const refusal = await house.refusals.next();
    expect(refusal).toMatchObject({ status: 403, reason: "origin" });
    expect(refusal?.handshake).toBeInstanceOf(Handshake);
    expect(refusal?.handshake.headers["origin"]).toBe("https://evil.example");
    expect(published).toEqual([{ hub: house.hub, ...refusal }]);
    expect(house.failures.take()).toEqual([]);
    expect(house.hub.stats().refusals).toBe(1);
  });
});

describe.each(ALL_TRANSPORTS)("clients behind a proxy, on %s", (transport) => {
  it("are seen as the proxy saw them", async () => {
    const house = await House.open(transport, { trustProxy: 1 });
    const headers = { "x-forwarded-for": "1.1.1.1, 198.51.100.7", "x-forwarded-proto": "https" };
    const { handshake } = (await house.enter({ headers })).socket;
    expect([handshake.remoteAddress, handshake.secure]).toEqual(["198.51.100.7", true]);
  });

  it("are not believed where no proxy is trusted", async () => {
    const house = await House.open(transport);
    const headers = { "x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https" };
    const { handshake } = (await house.enter({ headers })).socket;
    expect([handshake.remoteAddress, handshake.secure]).toEqual(["127.0.0.1", false]);
  });

  it("are seen by `authenticate` and in a refusal as by their sockets", async () => {
    const addresses: string[] = [];
    const house = await House.open(transport, {
      trustProxy: ["127.0.0.0/8"],
      authenticate: ({ remoteAddress }) => {
        addresses.push(remoteAddress);
        return false;
      },
    });
    expect(await house.status({ headers: { "x-forwarded-for": "2001:db8::7, 127.0.0.2" } })).toBe(401);
    expect(addresses).toEqual(["2001:db8::7"]);
    expect((await house.refusals.next())?.handshake.remoteAddress).toBe("2001:db8::7");
  });
});
