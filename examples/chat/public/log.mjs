import { messageItem, systemItem } from "./view.mjs";

/** Messages of one person that come within this time are shown as one run, in milliseconds. */
const RUN = 5 * 60_000;

/** So near to the end, in pixels, somebody is taken to be reading along. */
const NEAR = 60;

/** The messages of a room. It follows the latest, unless the reader has scrolled up. */
export class Log {
  #frame;
  #list;
  #latest;
  /** The last message, if no system line came after it. */
  #last;
  /** Whether the reader was at the end when the log last changed: a resize moves the end away. */
  #following = true;

  /** `frame` scrolls, `list` holds the items, and `latest` is the button that leads back to the end. */
  constructor(frame, list, latest) {
    this.#frame = frame;
    this.#list = list;
    this.#latest = latest;
    latest.addEventListener("click", () => this.#toEnd());
    frame.addEventListener("scroll", () => {
      this.#following = this.#isAtEnd;
      if (this.#following) latest.hidden = true;
    });
    new ResizeObserver(() => {
      if (this.#following) this.#toEnd();
    }).observe(frame);
  }

  clear() {
    this.#list.replaceChildren();
    this.#last = undefined;
    this.#toEnd();
  }

  /** @returns the item, so that it can be marked as sent or not. */
  message(message, own) {
    const { from, at } = message;
    const follows = this.#last?.id === from.id && at - this.#last.at < RUN;
    const item = messageItem(message, { own, follows });
    this.#append(item, own);
    this.#last = { id: from.id, at };
    return item;
  }

  /** A line about the room, or about `person`. */
  system(text, person) {
    this.#append(systemItem(text, person), false);
    this.#last = undefined;
  }

  #append(item, own) {
    this.#following = own || this.#isAtEnd;
    this.#list.append(item);
    if (this.#following) this.#toEnd();
    else this.#latest.hidden = false;
  }

  get #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#frame;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #toEnd() {
    this.#following = true;
    this.#frame.scrollTop = this.#frame.scrollHeight;
    this.#latest.hidden = true;
  }
}
