import { AsyncLocalStorage } from "node:async_hooks";

/** What becomes of a page, as its events tell: see {@link Page.fire}. */
export type PageEvent = "offline" | "online" | "pagehide" | "pageshow" | "visibilitychange";

type Listener = (event: { readonly persisted: boolean }) => void;

interface Options {
  readonly signal?: AbortSignal;
}

const current = new AsyncLocalStorage<Page>();

const realNow = Date.now.bind(Date);

function now(): number {
  return realNow() + (current.getStore()?.ahead ?? 0);
}

function addEventListener(event: string, listener: Listener, options?: Options): void {
  current.getStore()?.add(event, listener, options);
}

/**
 * The page of one scenario: what pages offer to listen to, and Node does not, and a wall clock that can be set.
 *
 * Not an `EventTarget`: the one of Node 20 loses track of signals, of which it has several, when garbage is collected.
 */
export class Page {
  readonly #listeners = new Set<readonly [event: string, listener: Listener]>();
  #asked = 0;
  #ahead = 0;

  /** From now on, until the function is called that it returns, `run` gives each scenario a page of its own. */
  static open(): () => void {
    Object.assign(globalThis, { addEventListener, document: { addEventListener, visibilityState: "visible" } });
    Date.now = now;
    return () => {
      for (const name of ["addEventListener", "document"]) Reflect.deleteProperty(globalThis, name);
      Date.now = realNow;
    };
  }

  /** Runs something and everything that it leads to in this page. */
  run<V>(run: () => V): V {
    return current.run(this, run);
  }

  /** How often it was listened to. */
  get asked(): number {
    return this.#asked;
  }

  /** The events that are listened to. */
  get listened(): readonly string[] {
    return Array.from(this.#listeners, ([event]) => event);
  }

  /** How far the wall clock is ahead of the real one, in milliseconds. */
  get ahead(): number {
    return this.#ahead;
  }

  /** Sets the wall clock forward, or back. */
  jump(ms: number): void {
    this.#ahead += ms;
  }

  /** Fires the event. A page that is hidden or shown goes into the browser's cache, or comes out of it. */
  fire(event: PageEvent): void {
    const listeners = [...this.#listeners].filter(([name]) => name === event);
    for (const [, listener] of listeners) listener({ persisted: true });
  }

  add(event: string, listener: Listener, { signal }: Options = {}): void {
    this.#asked += 1;
    const entry = [event, listener] as const;
    this.#listeners.add(entry);
    signal?.addEventListener("abort", () => this.#listeners.delete(entry));
  }
}
