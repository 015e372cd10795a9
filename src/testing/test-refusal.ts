import type { Refusal } from "../transports/memory/web-socket.ts";

/** What connecting a {@link TestClient} fails with when the hub does not let it in. */
export class TestRefusal extends Error {
  override readonly name = "TestRefusal";
  /** The HTTP status of the answer. */
  readonly status: number;
  /** The body of the answer. */
  readonly body: string;
  /** Such as `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor({ status, message, headers }: Refusal) {
    super(`The hub refused the client with status ${status}: ${message}`);
    this.status = status;
    this.body = message;
    this.headers = headers;
  }
}
