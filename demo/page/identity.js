// Who this tab is. sessionStorage belongs to one tab, so two tabs are two devices; the SDK keeps the device id and
// secret there, this module the name. A duplicated tab starts with a copy of both: see `forget`. Tabs that share a
// connection are one device, which localStorage keeps.
import { isShared } from './link-choice.js';

/** Where the SDK keeps the device's identity. */
const DEVICE_KEY = 'trunkline.device';
const NAME_KEY = 'trunkline.demo.name';

const storage = isShared ? localStorage : sessionStorage;

const ADJECTIVES = ['Amber', 'Brisk', 'Calm', 'Dapper', 'Early', 'Fair', 'Gentle', 'Hazel', 'Ivory', 'Jolly', 'Keen'];
const ANIMALS = [
  'Badger',
  'Curlew',
  'Dormouse',
  'Egret',
  'Fox',
  'Gannet',
  'Heron',
  'Ibex',
  'Jackdaw',
  'Kestrel',
  'Lynx',
  'Marten',
  'Newt',
];

const pick = (list) => list[Math.floor(Math.random() * list.length)];

export function loadName() {
  const kept = storage.getItem(NAME_KEY);
  if (kept !== null) return kept;
  return saveName(`${pick(ADJECTIVES)} ${pick(ANIMALS)}`);
}

export function saveName(name) {
  storage.setItem(NAME_KEY, name);
  return name;
}

/** The next connection will be a new device with a new name. */
export function forget() {
  storage.removeItem(DEVICE_KEY);
  storage.removeItem(NAME_KEY);
}
