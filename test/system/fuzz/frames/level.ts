import { Buffer } from "node:buffer";
import { closePayload, Opcode } from "../../../../src/testing/raw-frame.ts";
import { Random } from "../../../support/random.ts";
import { bytesOf, goodDraft } from "../bytes/request.ts";
import type { Arena, Level, Result } from "../case.ts";
import { endOf } from "../end.ts";
import { FENCE, FENCE_REPLY } from "../fence.ts";
import { Peer } from "../peer.ts";
import { pieces } from "../pieces.ts";
import type { HubName } from "../server/messages.ts";
import { BAD_COMPRESSION, BAD_FRAMES, badClose } from "./bad.ts";
import { frame } from "./frame.ts";
import { deflatedMessage, goodFrames } from "./good.ts";

/** What a client writes once there is a WebSocket connection. */
export const FRAMES: Level = {
  name: "frames",
  share: 0.16,
  outcomes: ["a conversation with good frames", "pong", "reply", "close 1000", "end without a close frame"],
  // The other says it with the end of the TCP connection: see TRANSPORTS.md.
  outcomesOn: { ws: ["close 1002", "close 1007", "close 1009"] },
  play,
};

interface Script {
  readonly frames: readonly Buffer[];
  /** Whether the connection has to survive it. */
  readonly isGood: boolean;
  /** The codes of the close frames in it. */
  readonly codes: readonly number[];
}

async function play(seed: number, { ports }: Arena): Promise<Result> {
  const random = new Random(seed);
  // What the first hub takes is bounded: see `limits.violations`.
  const hub = random.weighted<HubName>([
    [1, "usual"],
    [3, "lenient"],
    [3, "compressing"],
  ]);
  const agreed = hub === "compressing" && random.chance(0.8);
  const { frames, isGood, codes } = script(random, agreed);
  const peer = await Peer.connect(ports[hub]);
  const draft = goodDraft();
  if (agreed) draft.lines.push("Sec-WebSocket-Extensions: permessage-deflate");
  await peer.write([bytesOf(draft)]);
  await peer.until(({ statuses }) => statuses.length > 0, "The upgrade");
  await peer.write(pieces(random, Buffer.concat(frames), random.chance(0.7) ? 1 : 8));
  const outcomes: string[] = [];
  const complaints: string[] = [];
  const { messages } = peer.transcript;
  if (isGood) {
    await peer.write([frame(Opcode.text, JSON.stringify(FENCE))]);
    await peer.until(() => messages.some((message) => FENCE_REPLY.test(String(message))), "The fence");
    if (peer.end === undefined) outcomes.push("a conversation with good frames");
    else complaints.push(`Good frames ended the connection with ${peer.transcript.closeCode}.`);
    await peer.write([frame(Opcode.close, closePayload(1000))]);
  }
  if (random.chance(0.1)) peer.vanish();
  else peer.finish();
  await peer.ended();
  peer.release();
  const end = endOf(peer, { codes: [...codes, 1000] });
  return {
    inputs: frames.length,
    outcomes: [...outcomes, ...end.outcomes, ...messages.map(kindOf)],
    complaints: [...complaints, ...end.complaints],
    script: `${hub}, compression ${agreed}: ${frames.map((bytes) => bytes.toString("hex")).join(" ")}`,
  };
}

function script(random: Random, agreed: boolean): Script {
  const good = Array.from({ length: random.between(0, 8) }, () => {
    return agreed && random.chance(0.3) ? [deflatedMessage(random)] : goodFrames(random);
  }).flat();
  if (random.chance(0.3)) return { frames: good, isGood: true, codes: [] };
  if (random.chance(0.2)) {
    const { bytes, code } = badClose(random);
    // What follows a close frame is nobody's business.
    return { frames: [...good, bytes, ...goodFrames(random)], isGood: false, codes: code === undefined ? [] : [code] };
  }
  const kinds = random.chance(agreed ? 0.5 : 0.05) ? BAD_COMPRESSION : BAD_FRAMES;
  return { frames: [...good, ...random.pick(kinds)(random)], isGood: false, codes: [] };
}

function kindOf(message: string | Buffer): string {
  return String(message).startsWith('{"reply"') ? "reply" : "event";
}
