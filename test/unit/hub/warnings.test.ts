import { HubError, type Handshake } from "roomcast";
import { VirtualClock } from "roomcast/testing";
import { describe, expect, test } from "vitest";
import { Warnings } from "../../../src/hub/warnings.ts";
import { collectWarnings, type ProcessWarning } from "../../support/warnings.ts";

function open(): { warnings: Warnings; clock: VirtualClock; shown: readonly ProcessWarning[] } {
  const clock = new VirtualClock();
  return { warnings: new Warnings(clock, 'hub.on("error", ...)'), clock, shown: collectWarnings() };
}

function refused(origin: string, host: string): Parameters<Warnings["refused"]>[0] {
  const handshake = { headers: { origin } } as unknown as Handshake;
  return { status: 403, reason: "origin", host, advice: "Correct the proxy.", handshake };
}

describe("a warning", () => {
  test("says what failed, how to listen, and where it was thrown", () => {
    const { warnings, shown } = open();
    warnings.failed(new TypeError("No such order"), "handler", "buy");
    const [warning, ...more] = shown;
    expect(more).toEqual([]);
    expect(warning).toMatchObject({ type: "HubWarning", code: "HUB_UNHEARD_FAILURE" });
    expect(warning?.message).toBe(
      'Unheard failure (handler, "buy"): TypeError: No such order - ' +
        'Listen with hub.on("error", ...). Others like this are not shown.',
    );
    expect(warning?.detail).toMatch(/^ {4}at .*warnings\.test\.ts/);
  });

  test("of a refused page names its origin, the host and what would allow it, once for each advice", () => {
    const { warnings, shown } = open();
    warnings.refused(refused("https://shop.example", "10.0.0.7:8080"));
    warnings.refused(refused("https://other.example", "10.0.0.7:8080"));
    expect(shown).toMatchObject([{ type: "HubWarning", code: "HUB_UNHEARD_REFUSAL" }]);
    warnings.refused({ ...refused("https://shop.example", "10.0.0.7:8080"), advice: "List it." });
    expect(shown).toHaveLength(2);
    const [{ message } = { message: "" }] = shown;
    expect(message).toContain('pages of "https://shop.example" from the host "10.0.0.7:8080"');
    expect(message).toContain('Correct the proxy. In a list it is the entry "https://shop.example", and "same"');
  });

  test("is given once for each source, event and code of the library", () => {
    const { warnings, shown } = open();
    for (let n = 0; n < 3; n++) {
      warnings.failed(new Error(`a${n}`), "handler", "a");
      warnings.failed(new Error(`b${n}`), "handler", "b");
      warnings.failed(new Error(`c${n}`), "middleware", "a");
      warnings.failed(new HubError("ERR_HUB_BACKPLANE", `d${n}`), "backplane");
      warnings.failed(new HubError("ERR_HUB_TIMEOUT", `e${n}`), "backplane");
      warnings.refused(refused(`https://${n}.example`, "example"));
      warnings.refused({ ...refused("https://a.example", "example"), reason: "capacity" });
    }
    expect(shown).toHaveLength(6);
  });

  test("is given at most five times within a minute for each source, and those left out can come later", async () => {
    const { warnings, clock, shown } = open();
    const fail = (): void => {
      for (let n = 0; n < 13; n++) warnings.failed(new Error("no"), "handler", `event ${n}`);
    };
    fail();
    expect(shown).toHaveLength(5);
    warnings.failed(new Error("no"), "listener", "connection");
    expect(shown).toHaveLength(6);
    await clock.advance(59_999);
    fail();
    expect(shown).toHaveLength(6);
    await clock.advance(1);
    fail();
    expect(shown).toHaveLength(11);
    await clock.advance(60_000);
    fail();
    fail();
    expect(shown).toHaveLength(14);
  });

  test("is given for a bounded number of kinds of each source", async () => {
    const { warnings, clock, shown } = open();
    for (let n = 0; n < 1_100; n++) {
      await clock.advance(60_000);
      warnings.failed(new Error("no"), "handler", `event ${n}`);
    }
    expect(shown).toHaveLength(1_000);
    warnings.failed(new Error("no"), "listener", "connection");
    expect(shown).toHaveLength(1_001);
  });
});

const HOSTILE = "red\u001B[31m\r\nFAKE: all is well\u202Eevil\u0085\u2028\ud800\u{1F600}";

describe("a text of a client in a warning", () => {
  const PRINTABLE = /^[ -~]*$/;

  test("is escaped in every part of a warning", () => {
    const { warnings, shown } = open();
    warnings.failed(new Error(`${HOSTILE}\n    at forged (file.js:1:1)`), "handler", HOSTILE);
    warnings.failed(HOSTILE, "middleware", "text");
    warnings.refused(refused(HOSTILE, HOSTILE));
    const changed = new Error("before");
    changed.message = "after";
    changed.stack = HOSTILE;
    warnings.failed(changed, "handler", "changed");
    expect(shown).toHaveLength(4);
    for (const { message, detail = "" } of shown) {
      expect(message).toMatch(PRINTABLE);
      for (const line of detail.split("\n")) expect(line).toMatch(PRINTABLE);
      expect(detail).not.toContain("forged");
    }
    expect(shown[0]?.message).toContain(String.raw`red\u001b[31m\u000d\u000aFAKE`);
  });

  test("is cut", () => {
    const { warnings, shown } = open();
    const long = "\u001B".repeat(1_000_000);
    warnings.failed(new Error(long), "handler", long);
    warnings.refused(refused(long, long));
    for (const { message, detail = "" } of shown) expect(message.length + detail.length).toBeLessThan(20_000);
  });

  test.each([
    ["a proxy that fails at every touch", new Proxy({}, { get: () => refuse(), getPrototypeOf: () => refuse() })],
    ["an object without a prototype", Object.create(null)],
    ["an error without a stack", Object.assign(new Error("no"), { stack: undefined })],
    ["an error whose message fails", Object.defineProperty(new Error("no"), "message", { get: () => refuse() })],
    ["nothing", undefined],
  ])("can be %s", (_, thrown) => {
    const { warnings, shown } = open();
    warnings.failed(thrown, "handler", "event");
    expect(shown).toHaveLength(1);
  });
});

function refuse(): never {
  throw new Error("It was touched");
}
