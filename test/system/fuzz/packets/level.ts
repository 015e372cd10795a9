import { closePayload, Opcode } from "../../../../src/testing/raw-frame.ts";
import { Random } from "../../../support/random.ts";
import type { Arena, Level, Result } from "../case.ts";
import { endOf } from "../end.ts";
import { FENCE_ID } from "../fence.ts";
import { frame } from "../frames/frame.ts";
import { Peer } from "../peer.ts";
import { Answers } from "./answers.ts";
import { Conversation } from "./conversation.ts";
import { expectationOf } from "./expectation.ts";
import { scriptOf } from "./script.ts";

/** What a client says in frames that are as they should be. */
export const PACKETS: Level = {
  name: "packets",
  share: 0.8,
  outcomes: [
    "a reply",
    "refused with handler-failed",
    "refused with unknown-event",
    "refused with reserved-event",
    "refused with invalid-data",
    "refused with not-joinable",
    "refused with reply-gone",
    "refused with too-many-rooms",
    "refused with forbidden",
    "refused with refused",
    "told of bad-packet",
    "told of unexpected-message",
    "told of unknown-event",
    "told of reserved-event",
    "told of hello-expected",
    "told of unsupported-version",
    "told of unauthorized",
    "every message was answered as the protocol says",
    "close 1011",
    "close 4000",
    "close 4001",
    "close 4004",
    "close 4005",
    "close 4102",
    "close 4321",
    "end without a close frame",
  ],
  play,
};

async function play(seed: number, { ports }: Arena): Promise<Result> {
  const random = new Random(seed);
  const script = scriptOf(random);
  const peer = await Peer.connect(ports[script.hub]);
  const conversation = new Conversation(peer, script);
  await conversation.begin();
  if (script.isGreeted) await conversation.play(random);
  const isWhole = script.isGreeted && conversation.isOpen;
  if (isWhole && random.chance(0.1)) peer.vanish();
  else if (isWhole) await peer.write([frame(Opcode.close, closePayload(1000))]);
  peer.finish();
  await peer.ended();
  peer.release();
  conversation.update();
  const answers = new Answers(conversation.packets, FENCE_ID);
  const outcomes = [...answers.outcomes];
  // Who is not in gets no replies. What MessagePack says, only its reader knows.
  if (script.isGreeted && !conversation.isPacked) {
    const takesMessages = script.hub === "lenient";
    answers.compare(
      script.messages.map((message) => expectationOf(message, takesMessages)),
      isWhole,
    );
    if (isWhole) outcomes.push("every message was answered as the protocol says");
  }
  const isTerminated = script.messages.some((message) => String(message).includes("terminate"));
  const end = endOf(peer, { codes: [1000], isTerminated });
  return {
    inputs: script.messages.length + script.greeting.length,
    outcomes: [...outcomes, ...end.outcomes],
    complaints: [...answers.complaints, ...end.complaints],
    script: JSON.stringify(script),
  };
}
