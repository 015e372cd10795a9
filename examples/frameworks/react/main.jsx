import { createRoot } from "react-dom/client";
import { HubProvider } from "roomcast/react";
import { Chat } from "./chat.jsx";

createRoot(document.getElementById("root")).render(
  <HubProvider url="/chat">
    <Chat />
  </HubProvider>,
);
