import { CloseCode, type Codec } from "roomcast";
import { WebSocket, type RawData } from "ws";
import type { Journal } from "./journal.ts";

/** A codec of library clients. */
export type WireCodec = Codec & { readonly protocol: string };

/** What a client in a run needs. */
export interface ParticipantParts {
  /** The number of the client. */
  readonly index: number;
  readonly journal: Journal;
  /** Returns the URL of some node that takes clients. */
  readonly address: () => string;
  /** The codec that it asks for; without one it is a plain client. */
  readonly codec: WireCodec | undefined;
}

/** An event as the programs of a run send it. */
export interface Said {
  readonly id: number;
}

/** A client in a run, that comes to another node whenever it has lost its connection, and writes down what it hears. */
export abstract class Participant {
  readonly index: number;
  /** The ids of the sockets that it has and had, the last one last. */
  readonly sockets: string[] = [];
  protected readonly parts: ParticipantParts;
  /** The connection that it has, or is making. */
  protected socket: WebSocket | undefined;
  /** The rooms that it is in, or wants to be in. */
  readonly rooms: Set<string> = new Set();
  /** The number of its connections that were closed because it read too slowly. */
  slowness = 0;

  constructor(parts: ParticipantParts) {
    this.parts = parts;
    this.index = parts.index;
  }

  /** Begins. */
  abstract open(): void;
  /** Joins a room that it is not in. */
  abstract join(room: string): void;
  /** Leaves a room. */
  abstract leave(room: string): Promise<void>;
  /** Begins anew with the positions that it has, as a page that is loaded again. */
  abstract reload(): void;
  /** Ends for good. */
  abstract close(): void;

  /** Breaks the connection. What is on its way is lost. */
  cut(): void {
    this.socket?.terminate();
  }

  /** Reads nothing until {@link resume}. */
  pause(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.pause();
  }

  resume(): void {
    this.socket?.resume();
  }

  /** Counts the end of a connection. */
  protected watch(socket: WebSocket): void {
    socket.on("close", (code) => {
      if (code === CloseCode.slowConsumer) this.slowness++;
    });
  }

  protected heard(room: string, stream: string, at: number, { id }: Said): void {
    this.parts.journal.note({ type: "heard", client: this.index, room, position: { stream, at }, id });
  }
}

/** Decodes what `ws` hands over. */
export function decoded(codec: Codec, data: RawData, isBinary: boolean): unknown {
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : (data as Buffer);
  return codec.decode(isBinary ? bytes : Buffer.from(bytes).toString());
}

/**
 * Returns a class for library clients, whose objects connect to an address of its own.
 *
 * @param opened - is called with each object.
 */
export function webSocketTo(address: () => string, opened: (socket: WebSocket) => void): typeof WebSocket {
  return class extends WebSocket {
    constructor(_url: string, protocols: string | string[]) {
      super(address(), protocols, { perMessageDeflate: false });
      opened(this);
    }
  } as typeof WebSocket;
}
