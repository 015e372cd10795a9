import * as fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { isTrustProxy, Proxies, type SeenRequest, type TrustProxy } from "../../../src/door/proxies.ts";

function seen(trust: TrustProxy | undefined, remoteAddress: string, headers: Record<string, string> = {}): SeenRequest {
  return new Proxies(trust).seen({ headers: { host: "hub.internal:8080", ...headers }, remoteAddress, secure: false });
}

function addressSeen(trust: TrustProxy | undefined, remoteAddress: string, forwarded: string): string {
  return seen(trust, remoteAddress, { "x-forwarded-for": forwarded }).remoteAddress;
}

const EVERYTHING = {
  "x-forwarded-for": "198.51.100.7",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "chat.example",
};
const AS_IT_IS = { secure: false, hosts: ["hub.internal:8080"] };

describe("without a trusted proxy", () => {
  it.each<[string, TrustProxy | undefined]>([
    ["nobody is trusted", undefined],
    ["the peer is none of the proxies", ["10.0.0.1", "fd00::/8"]],
  ])("the request is as it is: %s", (_name, trust) => {
    expect(seen(trust, "203.0.113.9", EVERYTHING)).toEqual({ remoteAddress: "203.0.113.9", ...AS_IT_IS });
  });

  it("a Unix domain socket is no address of a list", () => {
    expect(seen(["127.0.0.1"], "", EVERYTHING)).toEqual({ remoteAddress: "", ...AS_IT_IS });
  });

  it("a request without a host has none", () => {
    const request = { headers: {}, remoteAddress: "203.0.113.9", secure: true };
    expect(new Proxies(undefined).seen(request)).toEqual({ remoteAddress: "203.0.113.9", secure: true, hosts: [""] });
  });
});

describe("the client's address", () => {
  it.each<[trust: TrustProxy, remote: string, forwarded: string, client: string]>([
    // By their number.
    [1, "10.0.0.1", "198.51.100.7", "198.51.100.7"],
    [1, "10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"],
    [2, "10.0.0.1", "1.1.1.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"],
    [2, "10.0.0.1", "1.1.1.1,198.51.100.7,unix:", "198.51.100.7"],
    [2, "10.0.0.1", "198.51.100.7", "198.51.100.7"],
    [1, "", "198.51.100.7", "198.51.100.7"],
    // By their addresses.
    [["10.0.0.1"], "10.0.0.1", "198.51.100.7", "198.51.100.7"],
    [["10.0.0.1"], "10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"],
    [["10.0.0.0/8"], "10.0.0.1", "1.1.1.1, 198.51.100.7, 10.0.0.3, 10.0.0.2", "198.51.100.7"],
    [["10.0.0.0/8", "fd00::/8"], "fd00::1", "198.51.100.7, 10.0.0.2", "198.51.100.7"],
    [["10.0.0.0/8"], "10.0.0.1", "10.9.9.9, 10.0.0.2", "10.9.9.9"],
    [["::ffff:10.0.0.1"], "10.0.0.1", "198.51.100.7", "198.51.100.7"],
    // As others write addresses.
    [1, "10.0.0.1", "198.51.100.7:4711", "198.51.100.7"],
    [1, "10.0.0.1", "[2001:db8::7]", "2001:db8::7"],
    [1, "10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"],
    [1, "10.0.0.1", '"[2001:db8::7]:4711"', "2001:db8::7"],
    [1, "10.0.0.1", "2001:DB8:0:0::0007", "2001:db8::7"],
    [1, "10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"],
    [1, "10.0.0.1", "::FFFF:C633:6407", "198.51.100.7"],
    [["10.0.0.0/8"], "10.0.0.1", "198.51.100.7, ::ffff:10.0.0.2", "198.51.100.7"],
    [1, "10.0.0.1", "  198.51.100.7\t", "198.51.100.7"],
    // Where the proxy wrote no address, its own is the last that is vouched for.
    [1, "10.0.0.1", "198.51.100.7, unknown", "10.0.0.1"],
    [1, "10.0.0.1", "198.51.100.7, _hidden", "10.0.0.1"],
    [1, "10.0.0.1", "198.51.100.7,", "10.0.0.1"],
    [1, "10.0.0.1", "", "10.0.0.1"],
    [1, "10.0.0.1", "198.51.100.7, 1.2.3.4.5", "10.0.0.1"],
    [1, "10.0.0.1", "198.51.100.7, 01.2.3.4", "10.0.0.1"],
    [1, "10.0.0.1", "198.51.100.7, fe80::1%eth0", "10.0.0.1"],
    [1, "10.0.0.1", "198.51.100.7, [1.2.3.4", "10.0.0.1"],
    [1, "10.0.0.1", '198.51.100.7, "', "10.0.0.1"],
    [2, "10.0.0.1", "198.51.100.7, unknown, 10.0.0.2", "10.0.0.2"],
    [2, "10.0.0.1", "198.51.100.7, unknown, unix:", "10.0.0.1"],
    [["10.0.0.0/8"], "10.0.0.1", "198.51.100.7, unknown, 10.0.0.2", "10.0.0.2"],
    [["10.0.0.0/8"], "10.0.0.1", "10.0.0.3, , 10.0.0.2", "10.0.0.2"],
    [1, "", "unknown", ""],
  ])("behind %j and %j, of %j: %j", (trust, remote, forwarded, client) => {
    expect(addressSeen(trust, remote, forwarded)).toBe(client);
  });

  it("is the proxy's if the proxy names none", () => {
    expect(seen(1, "10.0.0.1")).toEqual({ remoteAddress: "10.0.0.1", ...AS_IT_IS });
  });

  it("is not changed by anything that the client writes", () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("10.0.0.2", "unknown", "", '"', "::ffff:10.0.0.1"));
    const claims = fc.array(fc.oneof(address, fc.string()), { minLength: 1, maxLength: 40 });
    const behind: readonly (readonly [TrustProxy, string])[] = [
      [1, "198.51.100.7"],
      [2, "198.51.100.7, 10.0.0.2"],
      [["10.0.0.0/8"], "198.51.100.7"],
      [["10.0.0.0/8"], "198.51.100.7, 10.0.0.3, 10.0.0.2"],
    ];
    fc.assert(
      fc.property(claims, fc.constantFrom(...behind), (claimed, [trust, vouchedFor]) => {
        const forwarded = [...claimed, vouchedFor].join(",");
        expect(addressSeen(trust, "10.0.0.1", forwarded)).toBe("198.51.100.7");
      }),
    );
  });

  it("is an address that a proxy wrote, or a proxy's own", () => {
    const trust = fc.constantFrom<TrustProxy>(1, 2, 3, ["10.0.0.0/8"]);
    fc.assert(
      fc.property(trust, fc.string(), fc.string(), (trusted, claim, odd) => {
        const entry = odd.replaceAll(",", "");
        const result = addressSeen(trusted, "10.0.0.1", `${claim.replaceAll(/[\da-f:.]/gi, "")}, ${entry}, 10.0.0.2`);
        expect(["10.0.0.1", "10.0.0.2", addressSeen(1, "10.0.0.1", entry)]).toContain(result);
      }),
    );
  });
});

describe("the protocol and the host", () => {
  it("are those that the proxy names", () => {
    const client = { remoteAddress: "198.51.100.7", secure: true, hosts: ["chat.example"] };
    expect(seen(1, "10.0.0.1", EVERYTHING)).toEqual(client);
    expect(seen(["10.0.0.1"], "10.0.0.1", EVERYTHING)).toEqual(client);
  });

  it("do not need the address", () => {
    const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "chat.example:8443" };
    const client = { remoteAddress: "10.0.0.1", secure: true, hosts: ["chat.example:8443"] };
    expect(seen(1, "10.0.0.1", headers)).toEqual(client);
    expect(seen(["10.0.0.1"], "10.0.0.1", headers)).toEqual(client);
  });

  it.each([
    ["https", true],
    ["HTTPS", true],
    ["wss", true],
    ["http", false],
    ["http, https", true],
    ["https, http", false],
    ["rubbish", false],
    ["", false],
  ])("%j from one proxy: secure is %s", (protocol, secure) => {
    expect(seen(1, "10.0.0.1", { ...EVERYTHING, "x-forwarded-proto": protocol }).secure).toBe(secure);
  });

  it("follow what the proxy says of TLS, not how the proxy connects to the hub", () => {
    const request = { headers: { "x-forwarded-proto": "http" }, remoteAddress: "10.0.0.1", secure: true };
    expect(new Proxies(1).seen(request).secure).toBe(false);
    expect(new Proxies(1).seen({ ...request, headers: {} }).secure).toBe(true);
  });

  it.each<[TrustProxy, forwarded: string, protocols: string, hosts: string, secure: boolean, host: string]>([
    // Each proxy adds its own.
    [2, "198.51.100.7, 10.0.0.2", "https, http", "chat.example, inner", true, "chat.example"],
    [2, "9.9.9.9, 198.51.100.7, 10.0.0.2", "http, https, http", "evil, chat.example, inner", true, "chat.example"],
    [
      ["10.0.0.0/8"],
      "9.9.9.9, 198.51.100.7, 10.0.0.2",
      "http, https, http",
      "e, chat.example, i",
      true,
      "chat.example",
    ],
    // The outermost one writes over what it gets, the others leave it alone.
    [2, "198.51.100.7, 10.0.0.2", "https", "chat.example", true, "chat.example"],
    // An empty entry says nothing.
    [1, "198.51.100.7", "https, ", "chat.example, ", false, "hub.internal:8080"],
  ])("behind %j, of %j, %j and %j", (trust, forwarded, protocols, hosts, secure, host) => {
    const headers = { "x-forwarded-for": forwarded, "x-forwarded-proto": protocols, "x-forwarded-host": hosts };
    expect(seen(trust, "10.0.0.1", headers)).toEqual({ remoteAddress: "198.51.100.7", secure, hosts: [host] });
  });
});

describe("the hosts that the client may have asked for", () => {
  it.each<[headers: Record<string, string>, hosts: readonly string[]]>([
    // The proxy names a port, or tells of it elsewhere.
    [{ "x-forwarded-host": "chat.example:8443", "x-forwarded-port": "9999" }, ["chat.example:8443"]],
    [{ "x-forwarded-host": "chat.example", "x-forwarded-port": "8443" }, ["chat.example", "chat.example:8443"]],
    [{ "x-forwarded-port": "8443", host: "chat.example" }, ["chat.example", "chat.example:8443"]],
    [{ "x-forwarded-port": "8443", host: "chat.example:9000" }, ["chat.example:9000"]],
    // The header Host counts for its port.
    [{ "x-forwarded-host": "chat.example", host: "chat.example:8443" }, ["chat.example", "chat.example:8443"]],
    [{ "x-forwarded-host": "chat.example:8080", host: "Chat.Example" }, ["chat.example:8080", "Chat.Example"]],
    [{ "x-forwarded-host": "chat.example", host: "inner:8443" }, ["chat.example"]],
    [{ "x-forwarded-host": "chat.example", host: "chat.example.evil.example" }, ["chat.example"]],
    [{ "x-forwarded-host": "chat.example", host: "evil-chat.example" }, ["chat.example"]],
    [{ "x-forwarded-host": "chat.example", host: "user@chat.example" }, ["chat.example"]],
    [{ "x-forwarded-host": "chat.example", host: "chat.example." }, ["chat.example"]],
    [{ "x-forwarded-host": "chat.example", host: "" }, ["chat.example"]],
    // IPv6.
    [{ "x-forwarded-host": "[2001:db8::1]", "x-forwarded-port": "8443" }, ["[2001:db8::1]", "[2001:db8::1]:8443"]],
    [{ "x-forwarded-host": "[2001:db8::1]:80", "x-forwarded-port": "8443" }, ["[2001:db8::1]:80"]],
    [{ "x-forwarded-host": "[2001:db8::1]", host: "[2001:DB8::1]:8443" }, ["[2001:db8::1]", "[2001:DB8::1]:8443"]],
    [{ "x-forwarded-host": "2001:db8::1", "x-forwarded-port": "8443" }, ["2001:db8::1"]],
    // Lists: the entry of the outermost trusted proxy.
    [
      { "x-forwarded-host": "evil.example, chat.example", "x-forwarded-port": "1, 8443" },
      ["chat.example", "chat.example:8443"],
    ],
    [
      { "x-forwarded-host": "chat.example, chat.example", "x-forwarded-port": "443" },
      ["chat.example", "chat.example:443"],
    ],
    // Ports that are none.
    [{ "x-forwarded-host": "chat.example", "x-forwarded-port": "" }, ["chat.example"]],
    [{ "x-forwarded-host": "chat.example", "x-forwarded-port": "https" }, ["chat.example"]],
    [{ "x-forwarded-host": "chat.example", "x-forwarded-port": "443@evil.example" }, ["chat.example"]],
    [{ "x-forwarded-host": "chat.example", "x-forwarded-port": "123456" }, ["chat.example"]],
  ])("by %j: %j", (headers, hosts) => {
    expect(seen(1, "10.0.0.1", { "x-forwarded-for": "198.51.100.7", ...headers }).hosts).toEqual(hosts);
    expect(seen(["10.0.0.1"], "10.0.0.1", { "x-forwarded-for": "198.51.100.7", ...headers }).hosts).toEqual(hosts);
  });

  it("are not changed by anything that the client writes where the proxies append", () => {
    const word = fc
      .oneof(fc.constantFrom("evil.example", "[::1]", "8443", "", '"'), fc.string())
      .map((text) => text.replaceAll(",", ""));
    const claims = fc.array(word, { minLength: 1, maxLength: 40 });
    const behind: readonly (readonly [TrustProxy, string, string, string])[] = [
      [1, "198.51.100.7", "chat.example", "8443"],
      [2, "198.51.100.7, 10.0.0.2", "chat.example, inner", "8443, 80"],
      [["10.0.0.0/8"], "198.51.100.7, 10.0.0.3, 10.0.0.2", "chat.example, inner, inner", "8443, 80, 80"],
    ];
    fc.assert(
      fc.property(claims, fc.constantFrom(...behind), (claimed, [trust, addresses, hosts, ports]) => {
        const headers = {
          "x-forwarded-for": ["198.51.100.66", addresses].join(","),
          "x-forwarded-host": [...claimed, hosts].join(","),
          "x-forwarded-port": [...claimed, ports].join(","),
        };
        expect(seen(trust, "10.0.0.1", headers).hosts).toEqual(["chat.example", "chat.example:8443"]);
      }),
    );
  });

  it("are the one in the header Host, whatever an untrusted client writes", () => {
    const headers = { ...EVERYTHING, "x-forwarded-port": "8443", forwarded: "host=chat.example;proto=https" };
    expect(seen(undefined, "203.0.113.9", headers)).toEqual({ remoteAddress: "203.0.113.9", ...AS_IT_IS });
    expect(seen(["10.0.0.1"], "203.0.113.9", headers)).toEqual({ remoteAddress: "203.0.113.9", ...AS_IT_IS });
  });
});

describe("the header Forwarded", () => {
  it.each([
    "for=192.0.2.60;proto=https;by=203.0.113.43;host=evil.example",
    'For="[2001:db8:cafe::17]:4711"',
    "for=192.0.2.43, for=198.51.100.17",
    'for=unknown;host="evil.example:8443"',
    "host=evil.example",
  ])("is never believed, because most proxies pass on what the client wrote: %s", (forwarded) => {
    expect(seen(1, "10.0.0.1", { forwarded })).toEqual({ remoteAddress: "10.0.0.1", ...AS_IT_IS });
    const client = { remoteAddress: "198.51.100.7", secure: true, hosts: ["chat.example"] };
    expect(seen(1, "10.0.0.1", { ...EVERYTHING, forwarded })).toEqual(client);
  });
});

describe("a long header of proxies", () => {
  const ENTRIES = 2_000;
  const LONG = {
    "x-forwarded-for": Array.from({ length: ENTRIES }, () => "10.9.9.9").join(","),
    "x-forwarded-proto": ",".repeat(ENTRIES),
    "x-forwarded-host": ",".repeat(ENTRIES),
    "x-forwarded-port": ",".repeat(ENTRIES),
  };

  it.each<[name: string, trust: TrustProxy, most: number]>([
    ["no further than the first proxy that is not trusted", 1, 4],
    ["no further than 32 trusted proxies in a row", ["10.0.0.0/8"], 4 * 32],
  ])("is read from the right, %s", (_name, trust, most) => {
    const trim = vi.spyOn(String.prototype, "trim");
    onTestFinished(() => trim.mockRestore());
    expect(seen(trust, "10.0.0.1", LONG)).toEqual({ remoteAddress: "10.9.9.9", ...AS_IT_IS });
    expect(trim.mock.calls.length).toBeGreaterThan(0);
    expect(trim.mock.calls.length).toBeLessThanOrEqual(most);
  });
});

describe("the option trustProxy", () => {
  it.each([
    1,
    32,
    ["10.0.0.1"],
    ["10.0.0.0/8", "::1", "fd00::/8"],
    ["0.0.0.0/1"],
    ["2001:db8::/128"],
    ["::ffff:10.0.0.1"],
  ])("may be %j", (value) => {
    expect(isTrustProxy(value)).toBe(true);
  });

  it.each([
    true,
    false,
    0,
    33,
    1.5,
    NaN,
    "10.0.0.1",
    "loopback",
    [],
    [1],
    [""],
    ["loopback"],
    ["example.com"],
    ["10.0.0.0/33"],
    ["10.0.0.0/-1"],
    ["10.0.0.0/"],
    ["10.0.0.0/8/8"],
    ["10.0.0"],
    ["10.0.0.1:80"],
    ["[::1]"],
    ["fd00::/129"],
    ["fe80::1%eth0"],
    ["0.0.0.0/0"],
    ["::/0"],
    ["::ffff:10.0.0.0/104"],
    ["10.0.0.1", null],
  ])("may not be %j", (value) => {
    expect(isTrustProxy(value)).toBe(false);
  });
});
