import { useState } from "react";
import { useEvent, useHub, useRoom } from "roomcast/react";

export function Chat() {
  const client = useHub();
  const { state } = useRoom("lobby");
  const [messages, setMessages] = useState([]);
  useEvent("message", (text) => setMessages((earlier) => [...earlier, text]), { room: "lobby" });

  return (
    <>
      <ul>
        {messages.map((text, index) => (
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
