// Messages: the roster as a choice of one, and the conversation with a delivery word under what this tab sent.
import { append, element } from './event-log.js';

const MAX_MESSAGES = 100;
const roster = document.querySelector('#roster');
const messages = document.querySelector('#messages');

export class MessagesView {
  #ownDeviceId;
  #chosen;

  /** Device id of the person to send to; undefined when nobody is there. */
  get chosen() {
    return this.#chosen;
  }

  set ownDeviceId(deviceId) {
    this.#ownDeviceId = deviceId;
  }

  showRoster(people) {
    const others = people
      .filter(({ deviceId }) => deviceId !== this.#ownDeviceId)
      .sort((a, b) => Number(b.online) - Number(a.online));
    if (!others.some(({ deviceId }) => deviceId === this.#chosen))
      this.#chosen = others.find((p) => p.online)?.deviceId;
    this.#chosen ??= others[0]?.deviceId;
    const focused = roster.contains(document.activeElement) ? document.activeElement.value : undefined;
    roster.replaceChildren(...others.map((person) => this.#choice(person)));
    if (others.length === 0) roster.append(element('p', 'empty', 'Nobody else is here yet. Open a second device.'));
    if (focused !== undefined) roster.querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
  }

  #choice({ deviceId, name, online }) {
    const label = element('label', 'person');
    const input = document.createElement('input');
    Object.assign(input, { type: 'radio', name: 'to', value: deviceId, checked: deviceId === this.#chosen });
    input.addEventListener('change', () => {
      this.#chosen = deviceId;
    });
    label.title = deviceId;
    label.append(input, element('span', online ? '' : 'away', online ? name : `${name}, away`));
    return label;
  }

  received(from, text) {
    const item = element('div', '');
    item.append(element('span', 'bubble', text), element('small', '', from));
    append(messages, item, MAX_MESSAGES);
  }

  /** @returns sets the delivery word, once it is known */
  sent(to, text) {
    const item = element('div', 'mine');
    const word = element('span', 'word', 'sending');
    const line = element('small', '', `to ${to}: `);
    line.append(word);
    item.append(element('span', 'bubble', text), line);
    append(messages, item, MAX_MESSAGES);
    return (result, detail = '') => {
      word.className = `word word-${result}`;
      word.textContent = detail === '' ? result : `${result}: ${detail}`;
    };
  }

  nameOf(deviceId) {
    const input = roster.querySelector(`input[value="${CSS.escape(deviceId)}"]`);
    return input?.nextSibling.textContent ?? deviceId;
  }
}
