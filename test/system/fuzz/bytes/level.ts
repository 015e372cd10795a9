import { Random } from "../../../support/random.ts";
import { closePayload, Opcode, rawFrame } from "../../../../src/testing/raw-frame.ts";
import type { Arena, Level, Result } from "../case.ts";
import { endOf } from "../end.ts";
import { FENCE, FENCE_REPLY } from "../fence.ts";
import { Peer } from "../peer.ts";
import { pieces } from "../pieces.ts";
import type { HubName } from "../server/messages.ts";
import { stream } from "./stream.ts";

const HUBS: readonly HubName[] = ["usual", "lenient", "compressing"];

/** What a client writes before there is a WebSocket connection. */
export const BYTES: Level = {
  name: "bytes",
  share: 0.04,
  outcomes: [
    "status 101",
    "status 401",
    "status 403",
    "status 426",
    "status 431",
    "status 503",
    "a conversation after the upgrade",
    "end without an answer",
    "left by the client",
  ],
  play,
};

async function play(seed: number, { ports }: Arena): Promise<Result> {
  const random = new Random(seed);
  const { bytes, inputs, isWhole } = stream(random);
  const peer = await Peer.connect(ports[random.pick(HUBS)]);
  const outcomes: string[] = [];
  if (random.chance(0.15)) {
    const part = bytes.subarray(0, random.between(0, bytes.length));
    await peer.write(pieces(random, part));
    outcomes.push("left by the client");
    if (random.chance(0.5)) peer.vanish();
    else peer.finish();
  } else {
    await peer.write(pieces(random, bytes));
    if (isWhole) await peer.until(({ statuses }) => statuses.length > 0, "An answer");
    if (isWhole && peer.transcript.statuses.at(-1) === 101) {
      await converse(peer, random);
      outcomes.push("a conversation after the upgrade");
    }
    peer.finish();
  }
  await peer.ended();
  peer.release();
  const { statuses } = peer.transcript;
  if (statuses.length === 0) outcomes.push("end without an answer");
  const { outcomes: further, complaints } = endOf(peer);
  return {
    inputs,
    outcomes: [...outcomes, ...further],
    complaints,
    script: JSON.stringify(bytes.toString("latin1")),
  };
}

/** The first bytes after the upgrade, split anywhere. */
async function converse(peer: Peer, random: Random): Promise<void> {
  await peer.write(pieces(random, rawFrame(Opcode.text, JSON.stringify(FENCE)), 8));
  const { messages } = peer.transcript;
  await peer.until(() => messages.some((message) => FENCE_REPLY.test(String(message))), "The reply after an upgrade");
  await peer.write(pieces(random, rawFrame(Opcode.close, closePayload(1000))));
}
