import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Socket } from "../../hub/socket.ts";
import type { RawClient } from "../raw-client.ts";
import { closePayload, Opcode, rawFrame, type RawFrame, type RawFrameOptions } from "../raw-frame.ts";
import type { Packet } from "../../protocol/packet.ts";
import type { SuiteClient } from "../suite-client.ts";
import type { Wire } from "./wire.ts";

const FENCE = "--fence--";

/** A connected client, together with the hub's socket. */
export class ClientFixture {
  readonly client: SuiteClient;
  readonly socket: Socket;
  readonly #wire: Wire;

  constructor(client: SuiteClient, socket: Socket, wire: Wire) {
    this.client = client;
    this.socket = socket;
    this.#wire = wire;
  }

  /** Waits for the next message, which must be a packet. */
  async packet(): Promise<unknown> {
    return this.#wire.decode(await this.client.next());
  }

  /** Sends a packet. */
  say(packet: Packet): void {
    this.client.send(this.#wire.codec.encode(packet));
  }

  /** Sends a request and returns the next packet, which must be its reply. */
  async ask(event: string, data?: unknown): Promise<unknown> {
    this.say({ event, id: 1, data });
    return this.packet();
  }

  /**
   * Waits for all messages that the hub has sent to the client until now. The hub sends a fence after them: a message
   * that does not arrive before the fence will not arrive.
   *
   * @returns the messages, text as strings and binary as arrays of numbers.
   */
  async heard(): Promise<(string | readonly number[] | undefined)[]> {
    this.socket.send(FENCE);
    return this.#until(FENCE);
  }

  /** Waits for all messages up to the end of the connection. */
  rest(): Promise<(string | readonly number[] | undefined)[]> {
    return this.#until(undefined);
  }

  async #until(last: string | undefined): Promise<(string | readonly number[] | undefined)[]> {
    const message = await this.client.next();
    if (message === last) return [];
    assert.notEqual(message, undefined, "the connection ended before the fence");
    return [typeof message === "string" ? message : [...(message ?? [])], ...(await this.#until(last))];
  }
}

/** A connected raw client, together with the hub's socket. */
export class RawClientFixture {
  readonly client: RawClient;
  readonly socket: Socket;
  readonly #wire: Wire;

  constructor(client: RawClient, socket: Socket, wire: Wire) {
    this.client = client;
    this.socket = socket;
    this.#wire = wire;
  }

  /** Sends a frame. */
  frame(opcode: number, payload?: string | Uint8Array, options?: RawFrameOptions): void {
    this.client.write(rawFrame(opcode, payload, options));
  }

  /** Sends a packet. */
  say(packet: Packet): void {
    this.client.write(this.#wire.frame(packet));
  }

  /** Sends a close frame. */
  close(code: number, reason?: string | Uint8Array): void {
    this.frame(Opcode.close, closePayload(code, reason));
  }

  /** Waits for the server's frames up to the end of the connection. */
  async rest(): Promise<readonly [opcode: number, payload: string][]> {
    const frame = await this.client.frame();
    return frame === undefined ? [] : [[frame.opcode, frame.payload.toString()], ...(await this.rest())];
  }

  /** Checks that the server's next frame is this one. */
  async expectFrame(opcode: number, payload: string | Uint8Array = ""): Promise<void> {
    const expected: RawFrame = { fin: true, reserved: 0, opcode, payload: Buffer.from(payload as string) };
    assert.deepEqual(await this.client.frame(), expected);
  }
}
