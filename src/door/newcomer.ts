import { Buffer } from "node:buffer";
import { Batch } from "../delivery/batch.ts";
import type { Clock, Timer } from "../time/clock.ts";
import type { Codecs } from "../delivery/codecs.ts";
import type { Door } from "./door.ts";
import type { Admission } from "./authenticator.ts";
import { Handshake } from "../members/handshake.ts";
import { CloseCode, MAX_CLOSE_REASON_BYTES } from "../protocol/close-codes.ts";
import type { Codec } from "../protocol/codec.ts";
import {
  ControlEvent,
  isReply,
  parsePacket,
  PROTOCOL_VERSION,
  WireErrorCode,
  type Hello,
  type WireError,
} from "../protocol/packet.ts";
import type { Connection } from "../transports/transport.ts";

/** What newcomers need of the hub. */
export interface NewcomerOptions {
  readonly codecs: Codecs;
  readonly clock: Clock;
  readonly door: Door;
  /** How long all of it may take, in milliseconds. */
  readonly handshakeTimeout: number;
  /** It has said who it is, and is let in. */
  readonly admit: (connection: Connection, admission: Admission) => void;
  /** It is a newcomer no longer, whatever became of it. */
  readonly done: (newcomer: Newcomer) => void;
  /** What it was to be told could not be encoded. */
  readonly failed: (error: unknown) => void;
}

/**
 * A library client's connection from its opening to the answer to its `hub:hello`. It is in no room and no audience, and
 * the application does not know of it.
 */
export class Newcomer {
  readonly #connection: Connection;
  readonly #codec: Codec;
  readonly #handshake: Handshake;
  readonly #options: NewcomerOptions;
  readonly #timer: Timer;
  #silent = true;
  #waiting = true;

  constructor(connection: Connection, codec: Codec, handshake: Handshake, options: NewcomerOptions) {
    this.#connection = connection;
    this.#codec = codec;
    this.#handshake = handshake;
    this.#options = options;
    this.#timer = options.clock.setTimeout(() => {
      options.door.turnAway(handshake, "timeout", CloseCode.handshakeTimeout);
      this.close(CloseCode.handshakeTimeout, "The handshake took too long");
    }, options.handshakeTimeout);
    connection.owner = this;
  }

  /** The first message has to be the hello; another before it is answered is against the protocol. */
  receive(message: string | Uint8Array): void {
    if (!this.#waiting) return;
    const hello = this.#silent ? this.#read(message) : undefined;
    this.#silent = false;
    if (hello === undefined) {
      this.#refuse(HELLO_EXPECTED, CloseCode.protocolError);
    } else if (hello.protocol === PROTOCOL_VERSION) {
      void this.#introduce(new Handshake(this.#handshake, hello.auth));
    } else {
      this.#refuse(WRONG_VERSION, CloseCode.unsupportedVersion);
    }
  }

  /** It will not be let in any more. */
  close(code: number, reason: string): void {
    if (!this.#waiting) return;
    this.left();
    this.#connection.close(code, reason);
  }

  get handshake(): Handshake {
    return this.#handshake;
  }

  /** It is no newcomer any more: it was let in, or its connection has ended. */
  left(): void {
    this.#waiting = false;
    this.#timer.cancel();
    this.#options.done(this);
  }

  async #introduce(handshake: Handshake): Promise<void> {
    const { door } = this.#options;
    const verdict = await door.introduce(handshake);
    if (!this.#waiting) return;
    if (!("reason" in verdict)) {
      this.left();
      this.#options.admit(this.#connection, verdict);
    } else if (verdict.error === undefined) {
      door.turnAway(handshake, verdict.reason, CloseCode.internalError);
      this.close(CloseCode.internalError, "The server failed to authenticate");
    } else {
      door.turnAway(handshake, verdict.reason, CloseCode.unauthorized);
      this.#refuse(verdict.error, CloseCode.unauthorized);
    }
  }

  #read(message: string | Uint8Array): Hello | undefined {
    try {
      const packet = parsePacket(this.#codec.decode(message));
      if (isReply(packet) || packet.event !== ControlEvent.hello) return undefined;
      return (packet.data ?? {}) as Hello;
    } catch {
      return undefined;
    }
  }

  #refuse(error: WireError, code: number): void {
    try {
      const frame = this.#options.codecs.encode({ event: ControlEvent.error, data: error }, this.#codec);
      this.#connection.write(new Batch().append(frame));
    } catch (failure) {
      this.#options.failed(failure);
    }
    this.close(code, Buffer.byteLength(error.code) <= MAX_CLOSE_REASON_BYTES ? error.code : "");
  }
}

const HELLO_EXPECTED: WireError = {
  code: WireErrorCode.helloExpected,
  message: `A client with this subprotocol begins with one "${ControlEvent.hello}" and waits for the answer.`,
};

const WRONG_VERSION: WireError = {
  code: WireErrorCode.unsupportedVersion,
  message: `This server speaks version ${PROTOCOL_VERSION} of the protocol.`,
};
