import type { RefusedUpgrade } from "../transports/memory/web-socket.ts";

/** The error of connecting a {@link TestClient} that the hub does not let in. */
export class TestRefusal extends Error {
  override readonly name = "TestRefusal";
  /** The HTTP status of the answer. */
  readonly status: number;
  /** The body of the answer. */
  readonly body: string;
  /** Further headers of the answer, such as `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor({ status, message, headers }: RefusedUpgrade) {
    super(`The hub refused the client with status ${status}: ${message}`);
    this.status = status;
    this.body = message;
    this.headers = headers;
  }
}
