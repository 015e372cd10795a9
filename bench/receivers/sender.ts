import { Buffer } from "node:buffer";
import { bodyLength, spokenEnvelope, TAIL_LENGTH } from "../envelope.ts";
import { stamp, STAMP_LENGTH } from "../stamp.ts";
import { clientFrame, overwrite, TEXT } from "./client-frame.ts";
import type { Connection } from "./connection.ts";

/** One client that sends a stream of messages, which are alike but for their stamps. */
export class Sender {
  readonly stream: number;
  /** How many others hear it. */
  readonly members: number;
  sent = 0;
  readonly #connection: Connection;
  readonly #stampOffset: number;
  #frame: Buffer;

  /** @param size - bytes of the message that the others get. */
  constructor(connection: Connection, stream: number, members: number, size: number) {
    const { dialect, client } = connection;
    const body = "x".repeat(bodyLength(dialect, client.rooms[0], size));
    const payload = Buffer.from(spokenEnvelope(dialect, body));
    this.stream = stream;
    this.members = members;
    this.#connection = connection;
    this.#stampOffset = payload.length - TAIL_LENGTH - STAMP_LENGTH;
    this.#frame = clientFrame(TEXT, payload);
  }

  /** @param time - when it is meant to leave. */
  send(time: number): void {
    overwrite(this.#frame, this.#stampOffset, stamp(this.stream, this.sent, time));
    this.sent++;
    // What the socket still has to write must not change.
    if (!this.#connection.write(this.#frame)) this.#frame = Buffer.from(this.#frame);
  }
}
