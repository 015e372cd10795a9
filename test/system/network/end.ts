import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";

/** One end of a connection, and everything it has heard. */
export class End {
  readonly socket: Socket;
  readonly closed: Promise<boolean>;
  text = "";
  ended = false;
  #heard: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      // "true" if by a reset.
      socket.on("close", resolve);
    });
    socket.on("error", () => {});
    socket.on("end", () => {
      this.ended = true;
      this.#heard();
    });
    socket.on("data", (bytes: Buffer) => {
      this.text += bytes.toString();
      this.#heard();
    });
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  async hears(text: string): Promise<void> {
    await this.until(() => this.text.length >= text.length);
    if (this.text !== text) throw new Error(`Heard "${this.text}" instead of "${text}"`);
  }
}
