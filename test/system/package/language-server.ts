import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { atExit } from "../../support/at-exit.ts";

const TSC = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));

/** A place in a file; lines and characters count from 0. */
export interface Place {
  readonly line: number;
  readonly character: number;
}

/** A place to which a definition leads. */
interface Definition {
  readonly uri: string;
  readonly range: { readonly start: Place };
}

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
}

/** The language server of TypeScript, which editors ask, with one file open. */
export class LanguageServer {
  readonly #program = spawn(process.execPath, [TSC, "--lsp", "--stdio"], { stdio: ["pipe", "pipe", "ignore"] });
  readonly #isEnded: () => void = atExit(() => this.#program.kill("SIGKILL"));
  readonly #waiting = new Map<number, (result: unknown) => void>();
  readonly #uri: string;
  #received: Buffer = Buffer.alloc(0);
  #requests = 0;

  static async open(file: string): Promise<LanguageServer> {
    const server = new LanguageServer(file);
    await server.#request("initialize", { processId: process.pid, rootUri: null, capabilities: {} });
    server.#send({ method: "initialized", params: {} });
    const textDocument = { uri: server.#uri, languageId: "typescript", version: 1, text: readFileSync(file, "utf8") };
    server.#send({ method: "textDocument/didOpen", params: { textDocument } });
    return server;
  }

  private constructor(file: string) {
    this.#uri = pathToFileURL(file).href;
    this.#program.stdout.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#read();
    });
  }

  /** What an editor shows when the mouse is over a place. */
  async hover(position: Place): Promise<string> {
    const result = await this.#request("textDocument/hover", { textDocument: { uri: this.#uri }, position });
    return (result as { readonly contents: { readonly value: string } }).contents.value;
  }

  /** The files, and the lines of these, to which an editor goes from a place. */
  async definitions(position: Place): Promise<readonly { readonly file: string; readonly line: string }[]> {
    const result = await this.#request("textDocument/definition", { textDocument: { uri: this.#uri }, position });
    return (result as readonly Definition[]).map(({ uri, range }) => {
      const file = fileURLToPath(uri);
      return { file, line: readFileSync(file, "utf8").split("\n")[range.start.line] ?? "" };
    });
  }

  async close(): Promise<void> {
    this.#program.kill("SIGKILL");
    await once(this.#program, "exit");
    this.#isEnded();
  }

  #request(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#requests;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#send({ id, method, params });
    });
  }

  #send(message: Message): void {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.#program.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  #read(): void {
    for (;;) {
      const start = this.#received.indexOf("\r\n\r\n") + 4;
      if (start < 4) return;
      const end = start + Number(/Content-Length: (\d+)/.exec(this.#received.toString("latin1", 0, start))?.[1]);
      if (this.#received.length < end) return;
      const message = JSON.parse(this.#received.toString("utf8", start, end)) as Message;
      this.#received = this.#received.subarray(end);
      this.#take(message);
    }
  }

  #take({ id, method, result }: Message): void {
    // The server asks, too: for settings, which it does without.
    if (method === undefined) this.#waiting.get(Number(id))?.(result);
    else if (id !== undefined) this.#send({ id, result: null });
  }
}
