// Makes Node.js behave as React Native does where it differs from the standard. Imported before the scenario; with the
// argument `older` it imitates the versions before React Native had the standard's classes of events.
//
// What is imitated, of JavaScript: there is no `crypto`; a signal has neither `throwIfAborted` nor `reason`; `URL` adds a
// slash to whatever does not end with one. Of WebSocket, as on Android:
//
// - A failure is `error` without a message and then `close` with 1006 and the system's message as the reason; in older
//   versions `error` with the message and then `close` with no code and no reason.
// - The reason of a close frame without one is null in older versions.
// - `close` before the connection is open does nothing: it opens nevertheless.
// - A connection without the subprotocol that was asked for opens nevertheless.
import process from "node:process";
import { WebSocket as Native } from "ws";

const isOlder = process.argv.includes("older");
const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

class ReactNativeWebSocket {
  readyState = CONNECTING;
  binaryType = undefined;
  protocol = undefined;
  onopen = null;
  onmessage = null;
  onerror = null;
  onclose = null;
  #native;
  #failure = "";

  constructor(url, protocols) {
    const native = new Native(url, protocols);
    this.#native = native;
    let protocol;
    native.on("upgrade", ({ headers }) => {
      protocol = headers["sec-websocket-protocol"] ?? "";
      headers["sec-websocket-protocol"] ??= protocols[0];
    });
    native.on("open", () => {
      this.readyState = OPEN;
      this.protocol = protocol;
      this.onopen?.({});
    });
    native.on("message", (data, isBinary) => {
      this.onmessage?.({ data: isBinary ? Uint8Array.from(data).buffer : new TextDecoder().decode(data) });
    });
    native.on("error", ({ message }) => {
      const [, status] = /response: (\d+)/.exec(message) ?? [];
      if (status) this.#failure = `Expected HTTP 101 response but was '${status} '`;
      else if (/ECONNREFUSED/.test(message))
        this.#failure = message.replace(/.*ECONNREFUSED /, "Failed to connect to /");
      else this.#failure = message;
    });
    native.on("close", (code, reason) => {
      this.readyState = CLOSED;
      if (code !== 1006) this.onclose?.({ code, reason: reason.toString() || (isOlder ? null : "") });
      else if (isOlder) {
        this.onerror?.({ message: this.#failure });
        this.onclose?.({ message: this.#failure });
      } else {
        this.onerror?.({});
        this.onclose?.({ code, reason: this.#failure });
      }
    });
  }

  send(data) {
    if (this.readyState === CONNECTING) throw new Error("INVALID_STATE_ERR");
    this.#native.send(data);
  }

  close(code = 1000, reason = "") {
    if (this.readyState === CLOSING || this.readyState === CLOSED) return;
    this.readyState = CLOSING;
    if (this.#native.readyState === Native.OPEN) this.#native.close(code, reason);
  }
}

class ReactNativeURL {
  href;

  constructor(url) {
    this.href = `${url}`.endsWith("/") ? `${url}` : `${url}/`;
  }
}

delete globalThis.crypto;
delete AbortSignal.prototype.throwIfAborted;
delete AbortSignal.prototype.reason;
Object.assign(globalThis, { URL: ReactNativeURL, WebSocket: ReactNativeWebSocket });
