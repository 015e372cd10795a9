import type { ClientContract } from "../contract/client-side.ts";
import type { Codec } from "../protocol/codec.ts";
import type { Packet } from "../protocol/packet.ts";
import { ClientError, messageOf } from "./errors.ts";

/** The format of the client's packets: the codec that encodes them, and the contract that their data has to fit. */
export interface PacketFormat {
  readonly codec: Codec;
  readonly contract: ClientContract<never> | undefined;
}

type Check = "checkSent" | "checkReceived" | "checkReply" | "checkAnswer";

/**
 * Encodes a packet as a message.
 *
 * @throws {ClientError} `ERR_CLIENT_UNSERIALISABLE`.
 */
export function encode({ codec }: PacketFormat, packet: Packet): string | Uint8Array {
  try {
    return codec.encode(packet);
  } catch (cause) {
    throw new ClientError("ERR_CLIENT_UNSERIALISABLE", `Cannot encode: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Checks the data of an event or a reply.
 *
 * @returns the data as the contract returns it, or unchanged if there is no contract.
 * @throws {ClientError} `ERR_CLIENT_CONTRACT`.
 */
export function check({ contract }: PacketFormat, name: Check, event: string, data: unknown): unknown {
  try {
    return contract ? contract.client[name](event, data) : data;
  } catch (cause) {
    throw new ClientError("ERR_CLIENT_CONTRACT", messageOf(cause), { cause });
  }
}
