/** What one node may tell or ask the workers of another, and in which form: anything else is not passed on. */
import type { Tell } from './peer-batch.js';
import type { Closing } from './route-registrar.js';
import type { MembershipChange } from './router-groups.js';

export function isTell({ topic, message }: Tell): boolean {
  if (topic === 'revokeGrant') return hasNumbers(message, 'serial', 'businessId');
  if (topic !== 'closeConnections' || !('connections' in message)) return false;
  return Array.isArray(message.connections) && message.connections.every(isClosing);
}

export function isMembershipChange(message: object): message is MembershipChange {
  if (!hasNumbers(message, 'businessId') || !('group' in message) || !('serials' in message)) return false;
  const { group, serials } = message;
  return typeof group === 'string' && Array.isArray(serials) && serials.every(Number.isSafeInteger);
}

function isClosing(value: unknown): value is Closing {
  if (typeof value !== 'object' || value === null || !hasNumbers(value, 'serial', 'code')) return false;
  return 'reason' in value && typeof value.reason === 'string';
}

function hasNumbers(value: object, ...names: string[]): boolean {
  const fields = value as Readonly<Record<string, unknown>>;
  return names.every((name) => Number.isSafeInteger(fields[name]));
}
