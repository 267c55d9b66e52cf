// One tab, one device, unless the tabs share their connection. This file wires the SDK to the page: identity, the two
// businesses, the button that cuts the connection. What things look like is in the *-view.js files.

import { ConnectionView } from './connection-view.js';
import { DevicesView } from './devices-view.js';
import { log } from './event-log.js';
import { forget, loadName, saveName } from './identity.js';
import { pulse } from './line-view.js';
import { isShared, openClient, showChoice } from './link-choice.js';
import { MessagesView } from './messages-view.js';
import { RoomView } from './room-view.js';

// Of wire protocol version 1: the close code of a device that logged in elsewhere, and a gap's reason.
const REPLACED = 4505;
const HISTORY_LOST = 3;

const $ = (selector) => document.querySelector(selector);
const settings = await loadSettings();
const connection = new ConnectionView();
const messages = new MessagesView();
const room = new RoomView();
const devices = new DevicesView(settings, switchDevice);
let name = loadName();
let deviceId;
let joined = false;

const { client, cut } = await openClient(settings);
const im = client.business('im');
const live = client.business('live');

client.on('state', ({ state, previous }) => {
  connection.state(state, previous);
  const online = state === 'online';
  for (const id of ['cut', 'join']) $(`#${id}`).disabled = !online;
  $('#send').disabled = !online || messages.chosen === undefined;
  $('#comment-send').disabled = !online || !joined;
  if (state !== 'waiting') log('state', state, { online: 'good', closed: 'bad' }[state] ?? '');
});
client.on('online', (event) => {
  connection.online(event);
  log('online', `connection ${event.connectionId}, businesses ${event.businesses.join(' and ')}`, 'good');
  deviceId = client.deviceId;
  messages.ownDeviceId = deviceId;
  $('#device-id').textContent = deviceId;
  room.resumeAnywhere();
  void hello();
});
client.on('offline', (event) => {
  log('offline', `${event.code ?? 'no close code'}: ${event.reason}`, 'bad');
  connection.offline(event);
  if (event.code === REPLACED && !isShared) startOver('another tab uses this device id');
});
client.on('goaway', ({ moveInMs }) => log('goaway', `the node asks to move; moving in ${moveInMs} ms`, 'warn'));
client.on('gap', ({ business, dropped, reason }) => {
  const text =
    reason === HISTORY_LOST ? `${dropped} missed while away` : `${dropped} dropped: this tab read too slowly`;
  log('gap', `${business}: ${text}`, 'warn');
  if (business === 'live') room.note(text);
});
client.on('rejoin-failed', ({ group, error }) => log('rejoin failed', `${group}: ${error.message}`, 'bad'));
client.on('error', ({ error }) => log('error', error.message, 'bad'));

im.onPush((push) => {
  pulse('im', 'down');
  if (push.metadata.kind === 'roster') return showRoster(push.json());
  const { from, text } = push.metadata.kind === 'message' ? push.json() : { from: 'a back-end', text: push.text() };
  messages.received(push.metadata.kind === 'message' ? `from ${from}` : `pushed by ${from}`, text);
  log('push', `im: ${text}`, 'im-kind');
});
live.onPush((push) => {
  pulse('live', 'down');
  const isComment = push.metadata.kind === 'comment';
  const comment = isComment ? push.json() : { name: 'A back-end', text: push.text() };
  room.comment(push.offset, comment.name, comment.text, comment.deviceId === deviceId);
});

async function ask(channel, method, payload) {
  pulse(channel.name, 'up');
  const reply = await channel.request(method, JSON.stringify(payload));
  pulse(channel.name, 'down');
  return reply.json();
}

// Tells the tabs apart.
function showTitle() {
  document.title = `${name} · Trunkline demo`;
}

async function hello() {
  try {
    showRoster(await ask(im, 'hello', { name }));
  } catch (error) {
    log('hello failed', error.message, 'bad');
  }
}

function showRoster({ roster }) {
  messages.showRoster(roster);
  devices.showRoster(roster);
  $('#send').disabled = client.state !== 'online' || messages.chosen === undefined;
}

async function sendMessage(text) {
  const to = messages.chosen;
  const setWord = messages.sent(messages.nameOf(to), text);
  try {
    const { result, reason } = await ask(im, 'send', { to, text });
    setWord(result, reason);
    log('request', `im send: ${result}`, 'im-kind');
  } catch (error) {
    setWord('failed', error.message);
    log('request', `im send: ${error.message}`, 'bad');
  }
}

async function switchDevice(device, choice) {
  try {
    await ask(im, 'switch', { device, choice });
    log('request', `im switch: ${device} to ${choice}`, 'im-kind');
  } catch (error) {
    log('request', `im switch: ${error.message}`, 'bad');
    throw error;
  }
}

async function sendComment(text) {
  try {
    const { offset, members } = await ask(live, 'comment', { room: settings.room, name, text });
    log('request', `live comment: offset ${offset}, ${members} members`, 'live-kind');
  } catch (error) {
    log('request', `live comment: ${error.message}`, 'bad');
  }
}

async function toggleRoom() {
  $('#join').disabled = true;
  try {
    await (joined ? live.leave(settings.room) : live.join(settings.room));
    joined = !joined;
    room.joined = joined;
    log(joined ? 'join' : 'leave', settings.room, 'live-kind');
  } catch (error) {
    log('room', error.message, 'bad');
  }
  $('#join').disabled = client.state !== 'online';
  $('#comment-send').disabled = !joined;
}

// A tab that was duplicated, or was open before the demo was started anew, becomes a device of its own.
function startOver(reason) {
  log('new device', reason, 'warn');
  forget();
  location.reload();
}

async function loadSettings() {
  const response = await fetch('demo.json');
  if (!response.ok) throw new Error(`demo.json: ${response.status}`);
  return response.json();
}

function onSubmit(form, field, action) {
  $(form).addEventListener('submit', (event) => {
    event.preventDefault();
    const text = $(field).value.trim();
    if (text !== '') void action(text);
  });
}

$('#room').textContent = settings.room;
$('#name').value = name;
showTitle();
onSubmit('#name-form', '#name', (text) => {
  name = saveName(text);
  showTitle();
  void hello();
});
onSubmit('#message-form', '#message', (text) => {
  $('#message').value = '';
  return sendMessage(text);
});
onSubmit('#comment-form', '#comment', (text) => {
  $('#comment').value = '';
  return sendComment(text);
});
$('#join').addEventListener('click', () => void toggleRoom());
$('#cut').addEventListener('click', () => {
  log('cut', cut(), 'warn');
});

showChoice(client, settings);
connection.state('idle');
client.connect().catch((error) => {
  if (error.httpStatus === 403) startOver('the control layer does not know this device');
  else log('connect', error.message, 'bad');
});
