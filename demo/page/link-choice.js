// How this tab connects: by which protocol, and with a connection of its own or one for all tabs. The choice stands in
// the address, so that a tab keeps it over a reload and one opened from here has it too.
import { createClient, webSocketConnector } from './trunkline.browser.js';
import { wayText } from './way-text.js';

// A browser that does not trust the demo's certificate would lose the race's first candidate each time, and complain.
const DEFAULT = 'ws';
const CHOICES = { ws: ['ws'], wss: ['wss'], race: ['wss', 'ws'] };

const $ = (selector) => document.querySelector(selector);
const query = new URLSearchParams(location.search);
const chosen = Object.hasOwn(CHOICES, query.get('protocol')) ? query.get('protocol') : DEFAULT;
const protocols = CHOICES[chosen];

export const isShared = query.get('link') === 'shared';

// The platform's WebSocket, with the last one kept at hand so that the button can pull the plug: the socket closes
// under the SDK's feet, without a word of the protocol, as it does when a network goes away.
let socket;
class PluggedWebSocket extends WebSocket {
  constructor(...args) {
    super(...args);
    socket = this;
  }
}

/** @returns the client, and `cut`, which ends its connection and says how */
export async function openClient({ controlUrl, app }) {
  if (isShared) {
    const { createSharedClient } = await import('./trunkline.shared.js');
    const client = await createSharedClient({ bootstrapUrl: controlUrl, app, protocols });
    return { client, cut: () => cutShared(client) };
  }
  const webSocket = webSocketConnector(PluggedWebSocket);
  const transports = Object.fromEntries(protocols.map((protocol) => [protocol, webSocket]));
  return { client: createClient({ bootstrapUrl: controlUrl, app, transports }), cut: cutOwn };
}

function cutOwn() {
  socket.close();
  return 'the socket was closed without a word';
}

// The socket is in the worker, out of this page's reach.
function cutShared(client) {
  client.reconnect();
  return 'the connection of all tabs was given up for another';
}

/** Which way in won, and why. */
export const wayIn = (event) => wayText(event, chosen !== 'race');

/** Shows the choice; another one loads the page anew. */
export function showChoice(client, settings) {
  const protocol = $('#protocol');
  protocol.value = chosen;
  protocol.addEventListener('change', () => choose('protocol', protocol.value));
  // The one page of the secure listener: where a browser asks whether to trust the certificate.
  $('#trust').href = settings.secureWebSocketUrl.replace(/^wss/, 'https');
  const shared = $('#shared');
  shared.checked = isShared;
  shared.addEventListener('change', () => choose('link', shared.checked ? 'shared' : ''));
  const second = $('#second');
  second.search = location.search;
  if (!isShared) return;
  const isOne = client.link === 'shared';
  if (isOne) second.textContent = 'Open a second tab';
  $('#link').textContent = isOne ? 'one for all tabs' : 'own: no SharedWorker here';
  $('.stop-device .stop-name').textContent = isOne ? 'All tabs' : 'This tab';
}

function choose(name, value) {
  if (value === '') query.delete(name);
  else query.set(name, value);
  location.search = query.toString();
}
