/** What a page tells of itself; elsewhere there is nothing of the kind. */
interface Page {
  readonly document?: EventSource & { readonly visibilityState: string };
  readonly addEventListener?: EventSource["addEventListener"];
  readonly removeEventListener?: EventSource["removeEventListener"];
}

interface EventSource {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/**
 * Watches the page.
 *
 * @param returned - the network is back, or somebody looks at the page again.
 * @param gone - the network is gone.
 * @returns a function that stops.
 */
export function watchSurroundings(returned: () => void, gone: () => void): () => void {
  const page = globalThis as unknown as Page;
  const { document } = page;
  const shown = (): void => {
    if (document?.visibilityState === "visible") returned();
  };
  page.addEventListener?.("online", returned);
  page.addEventListener?.("offline", gone);
  document?.addEventListener("visibilitychange", shown);
  return () => {
    page.removeEventListener?.("online", returned);
    page.removeEventListener?.("offline", gone);
    document?.removeEventListener("visibilitychange", shown);
  };
}
