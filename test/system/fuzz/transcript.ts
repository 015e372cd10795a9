import { Buffer } from "node:buffer";
import { constants, inflateRawSync } from "node:zlib";
import { Opcode } from "../../../src/testing/raw-frame.ts";

/** What a deflated message lacks at its end (RFC 7692 section 7.2.2). */
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

const HEAD_END = "\r\n\r\n";

/** The end of a body in chunks. The server's are short texts, without this in them. */
const LAST_CHUNK = "0\r\n\r\n";

/** What the server says on one connection, read as it comes. */
export class Transcript {
  /** The statuses of its HTTP answers. After 101 there are frames. */
  readonly statuses: number[] = [];
  /** Text and binary messages. */
  readonly messages: (string | Buffer)[] = [];
  pongs = 0;
  /** Of its close frame; 1005 for one without a code. */
  closeCode: number | undefined;
  /** Where it broke HTTP or RFC 6455 itself. */
  readonly faults: string[] = [];
  #unread: Buffer = Buffer.alloc(0);
  /** How the body ends that is being read: after so many bytes, with these bytes, or with the connection. */
  #body: number | typeof LAST_CHUNK | undefined = 0;

  /** More of what it said. */
  read(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    while (this.statuses.at(-1) === 101 ? this.#readFrame() : this.#readAnswer());
  }

  /** Whether it stopped in the middle of something. */
  get isCut(): boolean {
    return this.#body !== undefined && (this.#unread.length > 0 || this.#body !== 0);
  }

  #readAnswer(): boolean {
    if (!this.#readBody()) return false;
    const end = this.#unread.indexOf(HEAD_END);
    if (end === -1) return false;
    const head = this.#unread.toString("latin1", 0, end);
    this.#unread = this.#unread.subarray(end + HEAD_END.length);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) this.faults.push(`An answer begins with ${JSON.stringify(head.slice(0, 40))}.`);
    this.statuses.push(status);
    if (status !== 101) this.#body = bodyOf(head);
    return true;
  }

  /** Whether all of it has come. */
  #readBody(): boolean {
    const body = this.#body;
    if (body === undefined) return false;
    const last = typeof body === "string" ? this.#unread.indexOf(body) : body;
    const end = typeof body === "string" ? last + body.length : last;
    if (last === -1 || this.#unread.length < end) return false;
    this.#unread = this.#unread.subarray(end);
    this.#body = 0;
    return true;
  }

  #readFrame(): boolean {
    const bytes = this.#unread;
    const [first, second] = bytes;
    if (first === undefined || second === undefined) return false;
    const short = second & 0x7f;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < header) return false;
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < header + length) return false;
    this.#unread = bytes.subarray(header + length);
    this.#note(first, second, bytes.subarray(header, header + length));
    return true;
  }

  #inflated(payload: Buffer): Buffer {
    try {
      return inflateRawSync(Buffer.concat([payload, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH });
    } catch (error) {
      this.faults.push(`A message cannot be inflated: ${String(error)}.`);
      return payload;
    }
  }

  #note(first: number, second: number, payload: Buffer): void {
    const opcode = first & 0x0f;
    const compressed = (first & 0x40) !== 0;
    if ((first & 0x80) === 0 || (first & 0x30) !== 0 || second >= 0x80) {
      this.faults.push(`A frame begins with ${first.toString(16)} ${second.toString(16)}.`);
    }
    if (this.closeCode !== undefined) this.faults.push(`Opcode ${opcode} follows the close frame.`);
    const content = compressed ? this.#inflated(payload) : payload;
    if (opcode === Opcode.text) this.messages.push(content.toString());
    else if (opcode === Opcode.binary) this.messages.push(content);
    else if (opcode === Opcode.pong) this.pongs += 1;
    else if (opcode === Opcode.close) this.closeCode = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    else if (opcode !== Opcode.ping) this.faults.push(`The server sends opcode ${opcode}.`);
  }
}

function bodyOf(head: string): number | typeof LAST_CHUNK | undefined {
  if (/^transfer-encoding: *chunked/im.test(head)) return LAST_CHUNK;
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  return length === undefined ? undefined : Number(length);
}
