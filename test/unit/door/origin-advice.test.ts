import { expect, it } from "vitest";
import { adviceOn } from "../../../src/door/origin-advice.ts";
import type { Origins } from "../../../src/door/origins.ts";
import { Proxies, type TrustProxy } from "../../../src/door/proxies.ts";
import { Handshake } from "../../../src/members/handshake.ts";

function adviceFor(headers: Record<string, string>, origins: Origins = "same", trust?: TrustProxy): string {
  const request = { url: "/", headers, remoteAddress: "10.0.0.1", secure: false };
  return adviceOn(origins, new Handshake(request), new Proxies(trust).seen(request).hosts);
}

const ORIGIN = "https://chat.example:8443";

it.each<[advice: RegExp, headers: Record<string, string>, origins?: Origins, trust?: TrustProxy]>([
  [/list its origin/, { origin: ORIGIN, host: "chat.example:8443" }, ["https://other.example"]],
  [/function "origins"/, { origin: ORIGIN, host: "chat.example:8443" }, () => false],
  [/has no host.*list its origin/, { origin: "null", host: "chat.example" }],
  [/has no host/, { origin: "chrome-extension://abc", host: "chat.example" }],
  [
    /X-Forwarded-Host names.*"trustProxy" include/,
    { origin: ORIGIN, host: "hub", "x-forwarded-host": "chat.example:8443" },
  ],
  [/"trustProxy" include/, { origin: ORIGIN, host: "hub", "x-forwarded-host": "chat.example:8443, inner" }, "same", 1],
  [
    /Host names.*X-Forwarded-Host names another/,
    { origin: ORIGIN, host: "chat.example:8443", "x-forwarded-host": "hub" },
    "same",
    1,
  ],
  [/Only the port.*\$http_host.*X-Forwarded-Port/, { origin: ORIGIN, host: "chat.example" }],
  [/Only the port/, { origin: ORIGIN, host: "hub", "x-forwarded-host": "CHAT.example" }, "same", 1],
  [/changed the host.*\$http_host.*list its origin/, { origin: ORIGIN, host: "127.0.0.1:8080" }],
  [/changed the host/, { origin: ORIGIN, host: "" }],
  [/changed the host/, { origin: ORIGIN }],
  [/changed the host/, { origin: ORIGIN, host: "chat.example.evil.example", "x-forwarded-host": "," }],
])("%s", (advice, headers, origins, trust) => {
  expect(adviceFor(headers, origins, trust)).toMatch(advice);
});

it("has none of the words that a client chose", () => {
  const hostile = "\u001B[31mhostile";
  for (const origin of [hostile, `https://${hostile}`, "null"]) {
    const advice = adviceFor({ origin, host: hostile, "x-forwarded-host": hostile });
    expect(advice).toMatch(/^[ -~]+$/);
    expect(advice).not.toContain("hostile");
  }
});
