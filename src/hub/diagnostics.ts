import { channel, type Channel } from "node:diagnostics_channel";

type ChannelName = "connection" | "disconnection" | "drop" | "error" | "gap" | "refusal";

/**
 * The channels of `node:diagnostics_channel` that every hub of the process publishes to, for monitoring that knows
 * nothing of the application. `docs/API.md` has the messages.
 */
const CHANNELS: Readonly<Record<ChannelName, Channel>> = {
  connection: channel("roomcast:connection"),
  disconnection: channel("roomcast:disconnection"),
  drop: channel("roomcast:drop"),
  error: channel("roomcast:error"),
  gap: channel("roomcast:gap"),
  refusal: channel("roomcast:refusal"),
};

/** Publishes what `message` returns. Without subscribers, `message` is not called. */
export function publish(name: ChannelName, message: () => object): void {
  const { [name]: target } = CHANNELS;
  if (target.hasSubscribers) target.publish(message());
}
