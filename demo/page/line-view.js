// The drawing of the one connection: a dot travels for every request, answer and push, in its business's colour.

const MAX_DOTS = 12;
const TRAVEL_MS = 700;

const track = document.querySelector('#track');
const gap = track.querySelector('.gap');
const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
const counts = { im: 0, live: 0 };

/** @param direction 'up' towards the node, 'down' towards this tab */
export function pulse(business, direction) {
  counts[business] += 1;
  document.querySelector(`#${business}-count`).textContent = String(counts[business]);
  // What arrives with the last breath of a connection travels no line any more.
  if (document.body.dataset.state !== 'online') return;
  if (calm.matches || document.hidden || track.querySelectorAll('.pulse').length >= MAX_DOTS) return;
  const dot = document.createElement('span');
  dot.className = `pulse pulse-${business}`;
  track.append(dot);
  const path = [{ left: '0%' }, { left: '100%' }];
  const run = dot.animate(direction === 'up' ? path : path.reverse(), { duration: TRAVEL_MS, easing: 'ease-in-out' });
  run.onfinish = () => dot.remove();
}

/** Text in the middle of the line, where the gap is; empty for none. */
export function showGap(text) {
  gap.textContent = text;
}

/** The line is cut: nothing travels on it. */
export function clearPulses() {
  for (const dot of track.querySelectorAll('.pulse')) dot.remove();
}
