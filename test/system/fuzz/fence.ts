import { ControlEvent, type EventPacket } from "../../../src/protocol/packet.ts";

/** A number that no hostile packet has. */
export const FENCE_ID = 4_503_599_627_370_497;

/**
 * A request whose reply says that everything before it is over: it waits for its turn after all others for rooms, and
 * then for a turn of the event loop, which is as long as any handler takes.
 */
export const FENCE: EventPacket = { event: ControlEvent.join, id: FENCE_ID, data: { room: "the fence, later" } };

/** In JSON. A library client that has not said hello is told why it gets none. */
export const FENCE_REPLY: RegExp = new RegExp(`^\\{"reply":${FENCE_ID}[,}]|"hello-expected"`);
