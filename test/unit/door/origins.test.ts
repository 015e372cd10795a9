import { describe, expect, it } from "vitest";
import { isOrigins, isWelcome, type Origins } from "../../../src/door/origins.ts";
import { Handshake } from "../../../src/members/handshake.ts";
import { hubError } from "../../support/hub-error.ts";

function handshake(origin: string | undefined): Handshake {
  const headers: Record<string, string> = origin === undefined ? {} : { origin };
  return new Handshake({ url: "/", headers, remoteAddress: "127.0.0.1", secure: false });
}

function welcome(origins: Origins, origin: string | undefined, ...hosts: readonly string[]): boolean {
  return isWelcome(origins, handshake(origin), hosts.length === 0 ? ["example.com"] : hosts);
}

describe("the same origin", () => {
  it.each([
    ["http://example.com", "example.com"],
    ["https://example.com", "example.com"],
    ["https://example.com", "EXAMPLE.com"],
    ["HTTPS://Example.Com", "example.com"],
    ["https://example.com", "example.com:443"],
    ["http://example.com", "example.com:80"],
    ["https://example.com:443", "example.com"],
    ["http://example.com:8080", "example.com:8080"],
    ["http://localhost:3000", "localhost:3000"],
    ["http://127.0.0.1:3000", "127.0.0.1:3000"],
    ["http://[::1]:3000", "[::1]:3000"],
    ["http://[::1]", "[0:0::1]:80"],
    ["https://xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["https://xn--bcher-kva.example", "bücher.example"],
    ["https://example.com.", "example.com."],
    ["http://[2001:db8::1]:8080", "[2001:DB8:0:0::1]:8080"],
    ["http://127.0.0.1", "127.1"],
  ])("%s belongs to %s", (origin, host) => {
    expect(welcome("same", origin, host)).toBe(true);
  });

  it.each([
    ["https://evil.example", "example.com"],
    ["https://example.com.evil.example", "example.com"],
    ["https://evilexample.com", "example.com"],
    ["https://sub.example.com", "example.com"],
    ["https://example.com", "sub.example.com"],
    ["https://example.com", "example.com:80"],
    ["http://example.com", "example.com:443"],
    ["http://example.com:8080", "example.com"],
    ["null", "null"],
    ["null", ""],
    ["", ""],
    ["", "example.com"],
    ["example.com", "example.com"],
    ["//example.com", "example.com"],
    ["http://", ""],
    ["http://example.com", ""],
    ["http://example.com/", "example.com"],
    ["http://example.com/path", "example.com"],
    ["http://user@example.com", "example.com"],
    ["http://evil.example@example.com", "example.com"],
    ["http://evil.example\\@example.com", "example.com"],
    ["http://example.com?", "example.com"],
    ["http://example.com#", "example.com"],
    ["http://example.com http://evil.example", "example.com"],
    ["http://example.com, http://evil.example", "example.com"],
    ["http://example.com:99999", "example.com:99999"],
    ["http://example.com", "evil.example@example.com"],
    ["http://example.com", "example.com/path"],
    ["http://example.com", "example.com "],
    ["ws://example.com", "example.com"],
    ["file://example.com", "example.com"],
    ["chrome-extension://example.com", "example.com"],
    ["capacitor://localhost", "localhost"],
    ["javascript://example.com", "example.com"],
    // Names that begin or end like the host.
    ["https://example.com.evil.example", "example.com"],
    ["https://example.com-evil.example", "example.com"],
    ["https://evil-example.com", "example.com"],
    ["https://example.comevil", "example.com"],
    ["https://example.co", "example.com"],
    ["https://xample.com", "example.com"],
    // The same names to people, but not to browsers.
    ["https://example.com.", "example.com"],
    ["https://example.com", "example.com."],
    ["https://xn--exmple-cua.com", "example.com"],
    ["https://xn--bcher-kva.example", "bucher.example"],
    // Ports that look like one another.
    ["https://example.com:8443", "example.com:843"],
    ["https://example.com:8443", "example.com:84430"],
    ["https://example.com:8443", "example.com"],
    ["https://example.com:80", "example.com"],
    ["http://example.com:443", "example.com"],
    // IPv6.
    ["http://[::1]", "[::2]"],
    ["http://[2001:db8::1]:8080", "[2001:db8::1]"],
    ["http://[::ffff:127.0.0.1]", "127.0.0.1"],
    ["http://[::1]", "::1"],
    ["http://[::1%25eth0]", "[::1]"],
    // Several at once.
    ["https://evil.example", "evil.example,example.com"],
    ["https://evil.example", "evil.example example.com"],
    ["https://evil.example", "evil.example\texample.com"],
    ["https://evil.example", "https://evil.example"],
    ["https://evil.example", "evil.example#example.com"],
  ])("%j does not belong to %j", (origin, host) => {
    expect(welcome("same", origin, host)).toBe(false);
  });
});

it("the same origin may be that of any host that the client may have asked for", () => {
  expect(welcome("same", "https://example.com:8443", "example.com", "example.com:8443")).toBe(true);
  expect(welcome("same", "https://example.com:8444", "example.com", "example.com:8443")).toBe(false);
});

describe("a page on a loopback host", () => {
  it.each([
    ["http://localhost:5173", "localhost:8080"],
    ["http://localhost", "127.0.0.1:8080"],
    ["https://localhost:5173", "localhost:8080"],
    ["http://LOCALHOST:5173", "LocalHost"],
    ["http://app.localhost:5173", "api.localhost:8080"],
    ["http://127.0.0.1:5500", "localhost:8080"],
    ["http://127.255.0.9", "127.1:8080"],
    ["http://[::1]:5173", "localhost:8080"],
    ["http://localhost:5173", "[::1]:8080"],
    ["http://localhost:5173", "[0:0::1]"],
  ])("%s may use a hub that it reached as %s", (origin, host) => {
    expect(welcome("same", origin, host)).toBe(true);
    expect(welcome(["same"], origin, host)).toBe(true);
    expect(welcome([origin.toLowerCase()], origin, "example.com")).toBe(origin === origin.toLowerCase());
  });

  it.each([
    ["http://localhost:5173", "example.com"],
    ["http://localhost:5173", "192.168.0.2:8080"],
    ["http://localhost:5173", "0.0.0.0:8080"],
    ["http://localhost:5173", "128.0.0.1:8080"],
    ["http://localhost:5173", ""],
    ["http://localhost:5173", "localhost:8080/"],
    ["http://localhost:5173", "evil.example@localhost"],
    ["http://localhost:5173", "localhost.evil.example"],
    ["http://localhost:5173", "127.0.0.1.evil.example"],
    ["https://evil.example", "localhost:8080"],
    ["https://localhost.evil.example", "localhost:8080"],
    ["https://evillocalhost", "localhost:8080"],
    ["https://127.0.0.1.evil.example", "localhost:8080"],
    ["https://127.evil.example", "localhost:8080"],
    ["http://[::1:5173", "localhost:8080"],
    ["http://[::2]:5173", "localhost:8080"],
    ["http://localhost@evil.example", "localhost:8080"],
    ["null", "localhost:8080"],
    ["file://", "localhost:8080"],
    ["ws://localhost:8080", "localhost:8080"],
    ["capacitor://localhost", "localhost:8080"],
  ])("is not %s with %s", (origin, host) => {
    expect(welcome("same", origin, host)).toBe(false);
    expect(welcome(["same"], origin, host)).toBe(false);
  });
});

it.each(["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"])(
  "a proxy that adds %s may ask for a loopback host on behalf of anybody",
  (name) => {
    const headers = { origin: "http://localhost:5173", [name]: "example.com" };
    const forwarded = new Handshake({ url: "/", headers, remoteAddress: "127.0.0.1", secure: false });
    expect(isWelcome("same", forwarded, ["127.0.0.1:8080"])).toBe(false);
    expect(isWelcome("same", forwarded, ["localhost:5173"])).toBe(true);
  },
);

it("a list may allow its own host, local files and what some programs send", () => {
  const origins = ["same", "null", "file://", "ws://example.com", "wss://example.com:8443"];
  expect(isOrigins(origins)).toBe(true);
  for (const origin of ["https://example.com", ...origins.slice(1)]) expect(welcome(origins, origin)).toBe(true);
  expect(welcome(origins, "https://evil.example")).toBe(false);
  expect(welcome(origins, "ws://evil.example")).toBe(false);
  expect(welcome(origins, "same")).toBe(false);
});

it.each<[string, Origins]>([
  ["same", "same"],
  ["*", "*"],
  ["a list", ["https://example.com"]],
  ["an empty list", []],
  ["a function", () => false],
])("a client without an origin passes: %s", (_name, origins) => {
  expect(welcome(origins, undefined)).toBe(true);
});

it.each(["https://evil.example", "null", "", "rubbish"])('"*" lets %j in', (origin) => {
  expect(welcome("*", origin)).toBe(true);
});

describe("a list of origins", () => {
  const origins = ["https://example.com", "http://localhost:5173", "null"];

  it.each(origins)("lets %s in", (origin) => {
    expect(welcome(origins, origin, "api.example.com")).toBe(true);
  });

  it.each([
    "http://example.com",
    "https://example.com:8443",
    "https://example.com.evil.example",
    "https://www.example.com",
  ])("refuses %s", (origin) => {
    expect(welcome(origins, origin, "example.com")).toBe(false);
  });

  it("refuses a page of the same host that is not listed", () => {
    expect(welcome([], "https://example.com")).toBe(false);
  });
});

describe("a function for origins", () => {
  it("receives the origin and the handshake, and decides", () => {
    const asked: unknown[] = [];
    const decide = (origin: string, { path }: Handshake): boolean => {
      asked.push([origin, path]);
      return origin.endsWith(".example");
    };
    expect(welcome(decide, "https://a.example")).toBe(true);
    expect(welcome(decide, "null")).toBe(false);
    expect(asked).toEqual([
      ["https://a.example", "/"],
      ["null", "/"],
    ]);
  });

  it("may throw", () => {
    const broken = new Error("broken");
    const decide = (): boolean => {
      throw broken;
    };
    expect(() => welcome(decide, "https://a.example")).toThrow(broken);
  });

  it.each([
    ["a promise", Promise.resolve(true)],
    ["a truthy value", "yes"],
    ["nothing", undefined],
  ])("lets no page in with %s", (_name, verdict) => {
    const decide = (() => verdict) as unknown as () => boolean;
    expect(() => welcome(decide, "https://a.example")).toThrow(hubError("ERR_HUB_OPTION", "origins"));
  });
});

describe("the option origins", () => {
  it.each([
    "same",
    "*",
    [],
    ["null"],
    ["https://example.com", "http://localhost:3000", "http://[::1]:3000", "http://127.0.0.1"],
    ["https://xn--bcher-kva.example"],
    ["chrome-extension://gmfgiekgbdmbigamapjnjhjmcnpocibc", "capacitor://localhost"],
    () => true,
  ])("may be %j", (value) => {
    expect(isOrigins(value)).toBe(true);
  });

  it.each([
    true,
    null,
    undefined,
    "",
    "https://example.com",
    [1],
    ["*"],
    ["example.com"],
    ["https://example.com/"],
    ["https://example.com/chat"],
    ["https://EXAMPLE.com"],
    ["HTTPS://example.com"],
    ["https://example.com:443"],
    ["http://example.com:80"],
    ["https://user@example.com"],
    ["https://*.example.com"],
    ["https://bücher.example"],
    ["file:///tmp/page.html"],
    ["data:text/html,page"],
    ["chrome-extension://gmfgiekgbdmbigamapjnjhjmcnpocibc/"],
    ["https://example.com "],
  ])("may not be %j", (value) => {
    expect(isOrigins(value)).toBe(false);
  });
});
