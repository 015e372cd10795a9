"use client";

import { useState } from "react";
import { HubProvider, useEvent, useHub, useRoom } from "roomcast/react";

export default function Page() {
  return (
    <HubProvider url="/chat">
      <Chat />
    </HubProvider>
  );
}

function Chat() {
  const client = useHub();
  const { state } = useRoom("lobby");
  const [texts, setTexts] = useState([]);
  useEvent("message", (text) => setTexts((others) => [...others, text]), { room: "lobby" });

  return (
    <>
      <ul>
        {texts.map((text, index) => (
          <li key={index}>{text}</li>
        ))}
      </ul>
      <form action={(data) => client.emit("message", data.get("text"))}>
        <input name="text" aria-label="Message" required />
        <button disabled={state !== "joined"}>Send</button>
      </form>
    </>
  );
}
