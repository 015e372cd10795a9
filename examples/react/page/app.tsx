import { useSyncExternalStore, type ReactNode } from "react";
import { HubProvider, useConnection } from "./hub.ts";
import { NameForm } from "./name-form.tsx";
import { savedName, user } from "./profile.ts";
import { RoomList } from "./room-list.tsx";
import { RoomView } from "./room-view.tsx";

const STATES = { connecting: "Connecting …", open: "Connected", waiting: "Reconnecting …", closed: "Closed" };

/** Asked anew at every connect: a new connection begins with the name that the user has by then. */
const auth = (): unknown => ({ user, name: savedName() });

export function App(): ReactNode {
  const room = useSyncExternalStore(onHashChange, readHash) || "lobby";
  return (
    <HubProvider url="/socket" options={{ auth }}>
      <header>
        <h1>roomcast and React</h1>
        <State />
      </header>
      <RoomList current={room} />
      <NameForm />
      {/* By its key, another room begins anew. */}
      <RoomView key={room} name={room} />
    </HubProvider>
  );
}

function State(): ReactNode {
  const { state, reason } = useConnection();
  return (
    <p role="status" className="state" data-state={state} title={reason}>
      {STATES[state]}
    </p>
  );
}

function onHashChange(changed: () => void): () => void {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
}

/** What follows the # in the address, by which a room can be linked to. Anybody may have written it. */
function readHash(): string {
  const hash = location.hash.slice(1);
  try {
    return decodeURIComponent(hash);
  } catch {
    return hash;
  }
}
