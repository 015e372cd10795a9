import { Buffer } from "node:buffer";
import { Batch } from "../delivery/batch.ts";
import type { Codecs } from "../delivery/codecs.ts";
import { createDeferred } from "../deferred.ts";
import { ownedMessage } from "../delivery/incoming-message.ts";
import { soon, watch } from "../guard.ts";
import { Handshake } from "../members/handshake.ts";
import type { Admission } from "../members/lifecycle.ts";
import { CloseCode, MAX_CLOSE_REASON_BYTES, type Close } from "../protocol/close-codes.ts";
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
import type { ErrorReport } from "../report.ts";
import type { Clock, Timer } from "../time/clock.ts";
import type { Connection } from "../transports/transport.ts";
import type { Door } from "./door.ts";

/** Receives the newcomers that are let in, those that have ended, and the failures. */
export interface NewcomerReport extends ErrorReport {
  /** Called for a newcomer whose hello was accepted and that is let in. */
  admit(connection: Connection, admission: Admission): void;
  /** Called when a newcomer was let in, was refused, or has disconnected. */
  done(newcomer: Newcomer): void;
}

export interface NewcomerParts {
  readonly codecs: Codecs;
  readonly clock: Clock;
  readonly door: Door;
  /** The time that a newcomer may take until it is let in, in milliseconds. */
  readonly handshakeTimeout: number;
  readonly report: NewcomerReport;
}

/** The number of pings and pongs that a newcomer may send. */
const MAX_CONTROL_FRAMES = 16;

/**
 * The connection of a library client from its opening to the answer to its `hub:hello`. A newcomer is in no room and no
 * audience, and the application does not know of it.
 */
export class Newcomer {
  readonly #connection: Connection;
  readonly #codec: Codec;
  readonly #handshake: Handshake;
  readonly #parts: NewcomerParts;
  readonly #timer: Timer;
  #controlFrames = 0;
  #silent = true;
  #waiting = true;

  constructor(connection: Connection, codec: Codec, handshake: Handshake, parts: NewcomerParts) {
    this.#connection = connection;
    this.#codec = codec;
    this.#handshake = handshake;
    this.#parts = parts;
    this.#timer = parts.clock.setTimeout(() => {
      this.close({ code: CloseCode.handshakeTimeout, reason: "The handshake took too long" });
      parts.door.turnAway(handshake, "timeout", CloseCode.handshakeTimeout);
    }, parts.handshakeTimeout);
    connection.owner = this;
  }

  /**
   * Handles a message. The first message has to be the hello; another message before the answer breaks the protocol.
   */
  receive(data: Buffer, isBinary: boolean): void {
    if (!this.#waiting) return;
    const hello = this.#silent ? this.#read(data, isBinary) : undefined;
    this.#silent = false;
    if (hello === undefined) {
      this.#refuse(HELLO_EXPECTED, CloseCode.protocolError);
    } else if (hello.protocol === PROTOCOL_VERSION) {
      const introduced = this.#introduce(new Handshake(this.#handshake, hello.auth), hello);
      watch(this.#parts.report, introduced, () => this.#connection.terminate());
    } else {
      this.#refuse(WRONG_VERSION, CloseCode.unsupportedVersion);
    }
  }

  /** Counts a ping or a pong. Rates limit members only, and a client has no use for many before its hello. */
  control(): void {
    if (this.#waiting && ++this.#controlFrames > MAX_CONTROL_FRAMES)
      this.#refuse(HELLO_EXPECTED, CloseCode.protocolError);
  }

  /** Refuses the newcomer, if it still waits. */
  close({ code, reason }: Close): void {
    if (!this.#waiting) return;
    this.left();
    this.#connection.close(code, reason);
  }

  get handshake(): Handshake {
    return this.#handshake;
  }

  /** Ends the wait, because the newcomer was let in or its connection has ended. */
  left(): void {
    this.#waiting = false;
    this.#timer.cancel();
    this.#parts.report.done(this);
  }

  async #introduce(handshake: Handshake, { home: given, since }: Hello): Promise<void> {
    const { door, report } = this.#parts;
    // What came with the hello was sent before the answer. Some transports hand it over only in a later microtask.
    const turn = createDeferred();
    soon(report, turn.resolve);
    const home = typeof given === "string" ? given : undefined;
    const verdict = await door.introduce(handshake);
    this.#timer.cancel();
    await turn.promise;
    if (!this.#waiting) return;
    if (!("reason" in verdict)) {
      this.left();
      this.#parts.report.admit(this.#connection, { ...verdict, home, since });
    } else if (verdict.error === undefined) {
      const close = verdict.reason === "expired" ? EXPIRED : FAILED;
      door.turnAway(handshake, verdict.reason, close.code);
      this.close(close);
    } else {
      door.turnAway(handshake, verdict.reason, CloseCode.unauthorized);
      this.#refuse(verdict.error, CloseCode.unauthorized);
    }
  }

  #read(data: Buffer, isBinary: boolean): Hello | undefined {
    try {
      this.#parts.codecs.weigh(this.#codec, data, isBinary);
      const packet = parsePacket(this.#codec.decode(ownedMessage(data, isBinary)));
      if (isReply(packet) || packet.event !== ControlEvent.hello) return undefined;
      return (packet.data ?? {}) as Hello;
    } catch {
      return undefined;
    }
  }

  #refuse(error: WireError, code: number): void {
    const { codecs, report } = this.#parts;
    const failed = (reason: unknown): void => report.failed(reason, "codec", { event: ControlEvent.error });
    try {
      const data = codecs.encodable(error, this.#codec, failed);
      this.#connection.write(new Batch().append(codecs.encode({ event: ControlEvent.error, data }, this.#codec)));
    } catch (failure) {
      failed(failure);
    }
    const reason = Buffer.byteLength(error.code) <= MAX_CLOSE_REASON_BYTES ? error.code.toWellFormed() : "";
    this.close({ code, reason });
  }
}

const FAILED: Close = { code: CloseCode.internalError, reason: "The server failed to authenticate" };

const EXPIRED: Close = { code: CloseCode.credentialsExpired, reason: "The credentials have expired" };

const HELLO_EXPECTED: WireError = {
  code: WireErrorCode.helloExpected,
  message: `A client with this subprotocol begins with one "${ControlEvent.hello}" and waits for the answer.`,
};

const WRONG_VERSION: WireError = {
  code: WireErrorCode.unsupportedVersion,
  message: `This server speaks version ${PROTOCOL_VERSION} of the protocol.`,
};
