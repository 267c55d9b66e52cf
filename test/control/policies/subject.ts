/** Somebody to try policies on. */
import type { Subject } from '../../../control/policies/index.js';

export function subject(changes: Partial<Subject> = {}): Subject {
  return {
    app: 'shop',
    deviceId: 'till-7',
    businesses: ['im'],
    attributes: { platform: 'ios', 'app-version': '5.2.0', network: 'wifi' },
    region: 'eu',
    nowMs: Date.parse('2027-01-31T12:00:00Z'),
    shareOf: () => 0,
    ...changes,
  };
}
