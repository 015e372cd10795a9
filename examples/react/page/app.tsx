import { useEffect, useState, type ReactNode } from "react";
import type { RoomsClient, RoomsTypes } from "./events.ts";
import { NameForm } from "./name-form.tsx";
import { savedName } from "./profile.ts";
import { RoomList } from "./room-list.tsx";
import { RoomView } from "./room-view.tsx";
import { useClient, useClientState } from "./use-client.ts";

const STATES = { connecting: "Connecting …", open: "Connected", waiting: "Reconnecting …", closed: "Closed" };

export function App(): ReactNode {
  // Asked anew at every connect: a new connection begins with the name that the user has by then.
  const client = useClient<RoomsTypes>("/socket", { auth: () => ({ name: savedName() }) });
  const room = useHash() || "lobby";
  if (client === undefined) return null;
  return (
    <>
      <header>
        <h1>roomcast and React</h1>
        <State client={client} />
      </header>
      <RoomList client={client} current={room} />
      <NameForm client={client} />
      {/* By its key, another room begins anew. */}
      <RoomView key={room} client={client} name={room} />
    </>
  );
}

function State({ client }: { client: RoomsClient }): ReactNode {
  const state = useClientState(client);
  return (
    <p role="status" className="state" data-state={state}>
      {STATES[state]}
    </p>
  );
}

/** What follows the # in the address, by which a room can be linked to. */
function useHash(): string {
  const [hash, setHash] = useState(readHash);
  useEffect(() => {
    const changed = (): void => setHash(readHash());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return hash;
}

function readHash(): string {
  return decodeURIComponent(location.hash.slice(1));
}
