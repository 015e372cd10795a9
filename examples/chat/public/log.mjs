import { messageItem, showMoves, systemItem } from "./view.mjs";

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
  /** The people in the last line, if it is about who joined and left, and the line. */
  #moves;
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
    this.#moves = undefined;
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

  /** A line about the room. */
  system(text) {
    this.#append(systemItem(text), false);
    this.#last = undefined;
  }

  /** Tells that somebody has `joined` or `left`, in one line with those who did so just before. */
  move(how, person) {
    const moves = this.#moves ?? { item: systemItem(""), joined: [], left: [] };
    moves[how].push(person);
    showMoves(moves.item, moves);
    if (this.#moves === undefined) this.#append(moves.item, false);
    else if (this.#following) this.#toEnd();
    this.#moves = moves;
    this.#last = undefined;
  }

  #append(item, own) {
    this.#moves = undefined;
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
