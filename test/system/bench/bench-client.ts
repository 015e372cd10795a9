import type { ClientOptions } from "ws";
import type { Dialect } from "../../../bench/peers/peer.ts";
import { sequenceAt, STAMP_LENGTH, streamAt } from "../../../bench/stamp.ts";
import { WsClient } from "../../support/ws-client.ts";

/** What every envelope ends with after the stamp. */
const TAIL = 2;

/** A message as the receivers of the benchmark see it: its size, and the stamp at its fixed place. */
export interface Stamped {
  readonly size: number;
  readonly stream: number;
  readonly sequence: number;
}

/** A client of a benchmark's peer, which says in its request who it is and which rooms it belongs to. */
export class BenchClient {
  readonly #client: WsClient;
  readonly #dialect: Dialect;

  static async connect(
    port: number,
    dialect: Dialect,
    client: number,
    rooms: readonly string[],
    options?: ClientOptions,
  ): Promise<BenchClient> {
    const path = dialect === "websocket" ? "/?" : "/socket.io/?EIO=4&transport=websocket&";
    const query = `client=${client}&rooms=${rooms.join(",")}`;
    const connected = await WsClient.connect(`ws://127.0.0.1:${port}${path}${query}`, options);
    if (dialect === "engine.io") {
      const open = await connected.next();
      if (!open.startsWith("0{")) throw new Error(`Not the opening of Engine.IO: ${open}`);
      connected.send("40");
      const accepted = await connected.next();
      if (!accepted.startsWith("40{")) throw new Error(`Not the acceptance of Socket.IO: ${accepted}`);
    }
    return new BenchClient(connected, dialect);
  }

  private constructor(client: WsClient, dialect: Dialect) {
    this.#client = client;
    this.#dialect = dialect;
  }

  next(): Promise<string> {
    return this.#client.next();
  }

  async nextStamped(): Promise<Stamped> {
    const bytes = Buffer.from(await this.next());
    const offset = bytes.length - TAIL - STAMP_LENGTH;
    return { size: bytes.length, stream: streamAt(bytes, offset), sequence: sequenceAt(bytes, offset) };
  }

  say(body: string): void {
    const json = JSON.stringify(body);
    this.#client.send(this.#dialect === "websocket" ? `{"event":"say","data":${json}}` : `42["say",${json}]`);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
