// The devices that the demo brings along: how each is connected and why, and a choice of protocol for it. The choice goes
// to the back-end of im, which calls the device.
import { element } from './event-log.js';
import { wayText } from './way-text.js';

/** A little longer than a device tries. */
const SWITCH_LIMIT_MS = 10_000;

const list = document.querySelector('#devices');

export class DevicesView {
  #rows = new Map();

  /** @param onSwitch asks for another protocol; rejects when it is refused */
  constructor({ devices, protocols }, onSwitch) {
    for (const deviceId of devices) {
      const row = createRow(deviceId, protocols);
      row.select.addEventListener('change', () => this.#switch(deviceId, row, onSwitch));
      this.#rows.set(deviceId, row);
      list.append(row.item);
    }
  }

  showRoster(people) {
    for (const { deviceId, online, wayIn } of people) {
      const row = this.#rows.get(deviceId);
      if (row === undefined || wayIn === undefined) continue;
      if (row.current !== wayIn.choice) clearTimeout(row.timer);
      row.current = wayIn.choice;
      row.way.textContent = online ? wayText(wayIn, wayIn.choice !== 'race') : 'away';
      if (!row.select.disabled) row.select.value = wayIn.choice;
    }
  }

  async #switch(deviceId, row, onSwitch) {
    const choice = row.select.value;
    row.select.disabled = true;
    row.way.textContent = 'switching';
    try {
      await onSwitch(deviceId, choice);
      // The device says hello when it came in another way; one that cannot keeps its connection and says nothing.
      row.timer = setTimeout(() => this.#stay(row, `${choice} did not work out`), SWITCH_LIMIT_MS);
    } catch (error) {
      this.#stay(row, error.message);
    }
    row.select.disabled = false;
  }

  #stay(row, reason) {
    row.select.value = row.current;
    row.way.textContent = reason;
  }
}

function createRow(deviceId, protocols) {
  const item = element('li', 'device');
  const way = element('span', 'device-way', 'not yet known');
  const select = document.createElement('select');
  select.id = `switch-${deviceId}`;
  select.append(new Option('as the service orders', 'race'), ...protocols.map((name) => new Option(name, name)));
  const label = element('label', 'device-name', deviceId);
  label.htmlFor = select.id;
  item.append(label, way, select);
  return { item, way, select, current: 'race' };
}
