import type { Connection, TransportHandlers, UpgradeDecision } from "../transports/transport.ts";

/**
 * Returns the same handlers, none of which throws: a failure for one client ends that client only.
 *
 * @param failed - is called with what a handler throws, and the connection that the call was about.
 */
export function guardedHandlers(
  handlers: TransportHandlers,
  failed: (error: unknown, connection?: Connection) => void,
): TransportHandlers {
  const refuse = (error: unknown): UpgradeDecision => {
    failed(error);
    return FAILED;
  };
  const attempt = (connection: Connection, call: () => void): void => {
    try {
      call();
    } catch (error) {
      failed(error, connection);
    }
  };
  return {
    upgrade: (info) => {
      try {
        const decision = handlers.upgrade(info);
        return decision instanceof Promise ? decision.catch(refuse) : decision;
      } catch (error) {
        return refuse(error);
      }
    },
    open: (connection, context) => attempt(connection, () => handlers.open(connection, context)),
    message: (connection, data, isBinary) => {
      // Without a function for each message.
      try {
        handlers.message(connection, data, isBinary);
      } catch (error) {
        failed(error, connection);
      }
    },
    ping: (connection) => attempt(connection, () => handlers.ping(connection)),
    pong: (connection) => attempt(connection, () => handlers.pong(connection)),
    drain: (connection) => attempt(connection, () => handlers.drain(connection)),
    overflow: (connection) => attempt(connection, () => handlers.overflow(connection)),
    ending: (connection) => attempt(connection, () => handlers.ending(connection)),
    close: (connection, code, reason) => attempt(connection, () => handlers.close(connection, code, reason)),
    gone: (connection) => attempt(connection, () => handlers.gone(connection)),
    error: (error) => handlers.error(error),
  };
}

const FAILED: UpgradeDecision = { accept: false, status: 500, message: "Internal Server Error" };
