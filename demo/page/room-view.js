// The live room: comments with their offsets. A hole in the offsets shows as a line that says how many are missing.
import { append, element } from './event-log.js';

const MAX_COMMENTS = 150;
const stream = document.querySelector('#stream');
const empty = document.querySelector('#stream-empty');
const joinButton = document.querySelector('#join');

export class RoomView {
  #lastOffset;

  set joined(joined) {
    joinButton.textContent = joined ? 'Leave' : 'Join';
    joinButton.setAttribute('aria-pressed', String(joined));
    if (joined) empty.textContent = 'Joined. Waiting for the first comment.';
    else this.#lastOffset = undefined;
  }

  /** After a cut the stream goes on where it then is. */
  resumeAnywhere() {
    this.#lastOffset = undefined;
  }

  comment(offset, name, text, isOwn) {
    empty.hidden = true;
    const missing = this.#lastOffset === undefined ? 0 : offset - this.#lastOffset - 1;
    if (missing > 0) this.note(`${missing} missing`);
    this.#lastOffset = offset;
    const item = element('li', isOwn ? 'own' : '');
    const body = element('span', 'text');
    body.append(element('b', '', name), ` ${text}`);
    item.append(element('span', 'offset', `#${offset}`), body);
    append(stream, item, MAX_COMMENTS);
  }

  note(text) {
    append(stream, element('li', 'note', text), MAX_COMMENTS);
  }
}
