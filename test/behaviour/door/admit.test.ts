import type { Handshake, HubOptions } from "roomcast";
import { describe, expect, it } from "vitest";
import { hubError } from "../../support/hub-error.ts";
import { ALL_TRANSPORTS, HandshakeFixture, Question } from "./handshake-fixture.ts";

type Verdict = boolean | { readonly retryAfter: number };

describe.each(ALL_TRANSPORTS)("admit, on %s", (transport) => {
  const open = (options?: HubOptions): Promise<HandshakeFixture> => HandshakeFixture.open(transport, options);

  it.each<[string, Verdict, number, string | undefined]>([
    ["true", true, 101, undefined],
    ["false", false, 503, "5"],
    ["2,000 ms", { retryAfter: 2_000 }, 503, "2"],
    ["2,001 ms", { retryAfter: 2_001 }, 503, "3"],
    ["1 ms", { retryAfter: 1 }, 503, "1"],
    ["an hour", { retryAfter: 3_600_000 }, 503, "3600"],
  ])("decides with %s, at once or later", async (_name, verdict, status, retryAfter) => {
    for (const admit of [() => verdict, async () => verdict]) {
      const fixture = await open({ admit });
      expect(await fixture.ask()).toMatchObject({ status, retryAfter });
      const refusals = fixture.refusals.take().map(({ reason, status: told }) => [reason, told]);
      expect(refusals).toEqual(status === 101 ? [] : [["admit", 503]]);
      expect(fixture.failures.take()).toEqual([]);
    }
  });

  const broken = new Error("broken");
  it.each<[string, () => Verdict | Promise<Verdict>]>([
    [
      "throws",
      () => {
        throw broken;
      },
    ],
    ["rejects", () => Promise.reject(broken)],
  ])("refuses the client and is reported when it %s", async (_name, admit) => {
    const fixture = await open({ admit });
    expect(await fixture.ask()).toMatchObject({ status: 503, retryAfter: "5" });
    expect(await fixture.failures.next()).toEqual({ error: broken, source: "admit" });
    expect(await fixture.refusals.next()).toMatchObject({ status: 503, reason: "admit" });
    expect(fixture.failures.take()).toEqual([]);
  });

  it.each([undefined, null, 1, "yes", {}, { retryAfter: -1 }, { retryAfter: "1" }, { retryAfter: Number.NaN }])(
    "refuses everybody and is reported when it returns %j",
    async (verdict) => {
      const fixture = await open({ admit: (() => verdict) as unknown as () => boolean });
      expect(await fixture.status()).toBe(503);
      expect((await fixture.failures.next())?.error).toEqual(hubError("ERR_HUB_AUTHENTICATE", "admit"));
    },
  );

  it("is called before `authenticate`, which is not called for a refused client", async () => {
    const asked: string[] = [];
    const fixture = await open({
      admit: async ({ url }: Handshake) => {
        asked.push(`admit ${url}`);
        return asked.length > 1;
      },
      authenticate: ({ url }) => {
        asked.push(`authenticate ${url}`);
        return { id: "ann" };
      },
    });
    expect(await fixture.status()).toBe(503);
    expect(await fixture.status()).toBe(101);
    expect(asked).toEqual(["admit /", "admit /", "authenticate /"]);
  });

  it("is called at the handshake of library clients, and `authenticate` after their hello", async () => {
    const asked: unknown[] = [];
    const fixture = await open({
      admit: ({ auth }) => {
        asked.push(["admit", auth]);
        return true;
      },
      authenticate: ({ auth }) => {
        asked.push(["authenticate", auth]);
        return { id: "ann" };
      },
    });
    const client = fixture.connect({ protocols: ["roomcast.v1.json"] });
    await client.answer;
    expect(asked).toEqual([["admit", undefined]]);
    client.send(JSON.stringify({ event: "hub:hello", data: { protocol: 1, auth: "token" } }));
    expect((await fixture.connected.next())?.user).toEqual({ id: "ann" });
    expect(asked).toEqual([
      ["admit", undefined],
      ["authenticate", "token"],
    ]);
  });

  it("is not called when there is no place, and holds a place while it is pending", async () => {
    const question = new Question<boolean>();
    const fixture = await open({ maxConnections: 1, admit: question.ask });
    const first = fixture.connect();
    const decide = await question.asked();
    expect(await fixture.status()).toBe(503);
    expect((await fixture.refusals.next())?.reason).toBe("capacity");
    decide(true);
    expect((await first.answer)?.status).toBe(101);
  });
});
