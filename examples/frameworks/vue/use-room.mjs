import { connect } from "roomcast/client";
import { onUnmounted, ref } from "vue";

/** The messages of a room, and the way to send one, as long as the component is there. */
export function useRoom(name) {
  const messages = ref([]);
  const isJoined = ref(false);
  const client = connect("/chat");
  client.room(name).on("message", (text) => messages.value.push(text));
  void client.join(name).then(() => (isJoined.value = true));
  onUnmounted(() => client.close());
  return { messages, isJoined, send: (text) => client.emit("message", text) };
}
