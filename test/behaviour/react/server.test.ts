import { createElement, type ReactNode } from "react";
import { renderToString } from "react-dom/server";
import { connect } from "roomcast/client";
import { createHubHooks, HubProvider, useConnection, useEvent, useHub, useRequest, useRoom } from "roomcast/react";
import { usePresence } from "roomcast/react/presence";
import { afterEach, expect, test, vi } from "vitest";

/** A component that uses every hook. */
function Everything(): ReactNode {
  const client = useHub();
  const connection = useConnection();
  useEvent("news", () => {});
  useEvent("hub:error", () => {});
  const room = useRoom("tea");
  const { count, users } = usePresence(client, "tea");
  const { data, error, isPending } = useRequest("sum");
  return JSON.stringify([client.state, connection, room, count, users.size, data, error, isPending]);
}

const everything = createElement(Everything);

const text = (element: ReactNode): string => renderToString(element).replaceAll("&quot;", '"');

afterEach(() => vi.unstubAllGlobals());

test.each([
  ["without a WebSocket", undefined],
  [
    "with a WebSocket",
    () => {
      throw new Error("A WebSocket was opened.");
    },
  ],
])("on a server, %s, everything renders and nothing connects", async (_, WebSocket) => {
  vi.stubGlobal("WebSocket", WebSocket);
  const auth = vi.fn<() => undefined>();
  const rendered = text(createElement(HubProvider, { url: "/socket", options: { auth } }, everything));
  expect(rendered).toBe('["closed",{"state":"connecting"},{"state":"joining"},0,0,null,null,false]');
  await new Promise(setImmediate);
  expect(auth).not.toHaveBeenCalled();
});

test.each([
  ["a window", ["window"]],
  ["a window and a document", ["window", "document"]],
])("a server may have %s", async (_, names) => {
  vi.stubGlobal("WebSocket", undefined);
  for (const name of names) vi.stubGlobal(name, {});
  vi.resetModules();
  const hooks = await import("roomcast/react");
  const Status = (): ReactNode => `${hooks.useConnection().state} ${hooks.useRoom("tea").state}`;
  for (const url of ["/socket", "wss://example.org/socket"]) {
    expect(text(createElement(hooks.HubProvider, { url }, createElement(Status)))).toBe("connecting joining");
  }
});

test("on a server, nothing is added to a client that is given, however often it is rendered", () => {
  const client = connect("ws://server", { WebSocket: Object as never, start: false });
  const on = vi.spyOn(client, "on");
  const rendered = Array.from({ length: 5 }, () => text(createElement(HubProvider, { client }, everything)));
  expect(new Set(rendered)).toEqual(
    new Set(['["closed",{"state":"connecting"},{"state":"joining"},0,0,null,null,false]']),
  );
  expect(on.mock.calls.length).toBeLessThan(2);
});

test("on a server, a provider that does not start is closed", () => {
  const rendered = text(createElement(HubProvider, { url: "/socket", options: { start: false } }, everything));
  expect(rendered).toContain('{"state":"closed"}');
});

test("hooks belong to their own provider", () => {
  const other = createHubHooks();
  const nested = (child: ReactNode): ReactNode =>
    createElement(HubProvider, { url: "/one" }, createElement(other.HubProvider, { url: "/two" }, child));
  const Both = (): ReactNode => String(useHub() === other.useHub());
  expect(text(nested(createElement(Both)))).toBe("false");
  const message = "There is no HubProvider above this component.";
  expect(() => text(createElement(other.HubProvider, { url: "/two" }, everything))).toThrow(message);
  expect(() => text(everything)).toThrow(message);
});
