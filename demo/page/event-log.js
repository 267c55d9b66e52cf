// The event log: newest last, scrolled along unless the reader scrolled up.
import { timeOfDay } from './clock-text.js';

const MAX_LINES = 200;
const list = document.querySelector('#events');

/** @param tone '', 'good', 'warn', 'bad', 'im-kind' or 'live-kind' */
export function log(kind, detail, tone = '') {
  const line = document.createElement('li');
  line.append(
    element('time', '', timeOfDay()),
    element('span', `kind ${tone}`, kind),
    element('span', 'detail', detail),
  );
  append(list, line, MAX_LINES);
}

/** Adds to a scrolled list, keeps it short, and follows when the reader is at its end. */
export function append(target, item, maxItems) {
  const follow = target.scrollHeight - target.scrollTop - target.clientHeight < 40;
  target.append(item);
  while (target.children.length > maxItems) target.firstElementChild.remove();
  if (follow) target.scrollTop = target.scrollHeight;
}

export function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className !== '') node.className = className.trim();
  if (text !== undefined) node.textContent = text;
  return node;
}
