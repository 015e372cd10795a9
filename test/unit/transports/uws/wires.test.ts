import { randomBytes } from "node:crypto";
import { Opcode } from "../../../../src/testing/raw-frame.ts";
import { sequence } from "../../../../src/testing/suite/transport-fixture.ts";
import type { Connection } from "../../../../src/transports/transport.ts";
import { describe, expect, test } from "vitest";
import type { SlowReader } from "../../../support/slow-reader.ts";
import { TRANSPORTS } from "../../../support/transports.ts";
import type { Wire } from "../../../support/wires.ts";
import { QUICK, UwsFixture } from "./uws-fixture.ts";

const MIB = 1024 * 1024;

/** More than a Unix socket holds. */
const LARGE = randomBytes(2 * MIB);

/** What a client does in the middle of the frame, and the code that the hub is told. */
const ENDS: readonly (readonly [what: string, act: (reader: SlowReader) => void, code: number])[] = [
  ["closes", (reader) => reader.close(4001), 4001],
  ["ends its side of TCP", (reader) => reader.end(), 1006],
  ["sends a frame of no known kind", (reader) => reader.send(3, "x"), 1006],
  ["sends text that is not UTF-8", (reader) => reader.send(Opcode.text, Buffer.from([0xff])), 1007],
  ["vanishes", (reader) => reader.vanish(), 1006],
];

/** A client that has begun to get a large frame, and a small one behind it. */
async function open(wire: Wire): Promise<{ fixture: UwsFixture; reader: SlowReader; connection: Connection }> {
  const fixture = await UwsFixture.open(wire, { maxBufferedBytes: 2 * LARGE.length });
  const { reader, connection } = await fixture.connect(0);
  connection.write(sequence(LARGE));
  connection.write(sequence("small"));
  expect(connection.bufferedAmount).toBeGreaterThan(MIB);
  return { fixture, reader, connection };
}

describe.runIf(TRANSPORTS.includes("uws"))("a client that does not read a large frame", () => {
  const WIRES = ["a Unix socket", "TLS over a Unix socket"] as const;
  const CASES = WIRES.flatMap((wire) => ENDS.map(([what, act, code]) => ({ wire, what, act, code })));

  test.each(CASES)("over $wire, and $what, ends with $code, and nothing is held for it", async (wanted) => {
    const { fixture, reader, connection } = await open(wanted.wire);
    wanted.act(reader);
    expect(await fixture.closes.next()).toBe(wanted.code);
    expect([connection.bufferedAmount, connection.isHolding]).toEqual([0, false]);
  });

  test("over a Unix socket, and closes, gets it, what waits behind it, and the answer", async () => {
    const { fixture, reader } = await open("a Unix socket");
    reader.close(4001);
    await fixture.closes.next();
    reader.rate = QUICK;
    expect(await reader.ended).toEqual({ code: 4001, error: undefined });
    expect(reader.faults).toEqual([]);
    expect(reader.messages.map(({ length }) => length)).toEqual([LARGE.length, 5]);
    expect(reader.messages[0]?.equals(LARGE)).toBe(true);
  });

  test("over TLS, and closes, gets no more than the fragments under way, and the answer or the end behind them", async () => {
    const { fixture, reader } = await open("TLS over a Unix socket");
    reader.close(4001);
    await fixture.closes.next();
    reader.rate = QUICK;
    await reader.ended;
    // RFC 6455 section 5.4 lets a close frame stand there.
    expect(["", "the close frame stands in the middle of a message"]).toContain(reader.faults.join());
    expect(reader.messages).toEqual([]);
  });
});
