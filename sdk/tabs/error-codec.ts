/**
 * Errors across a port. Structured clone keeps an Error's message and loses its class and its fields, so an error
 * travels as a plain object and becomes one of the same class, code and fields on the other side.
 */
import { Status, type TrunklineError } from '../../protocol/index.js';
import {
  BootstrapError,
  BusinessNotGrantedError,
  ClientClosedError,
  ConnectError,
  ConnectionLostError,
  DeadlineExceededError,
  InvalidArgumentError,
  InvalidOptionError,
  NoTransportError,
  PayloadTooLargeError,
  RequestCancelledError,
  RequestError,
  RequestQueueFullError,
} from '../errors.js';

/** An error that a port can carry. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Own fields, `code` among them; those that no port can carry are left out. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: PlainError | undefined;
}

/** One of each class: the code stands on the object, not on the class. */
const SAMPLES: readonly TrunklineError[] = [
  new BootstrapError(''),
  new BusinessNotGrantedError(''),
  new ClientClosedError(),
  new ConnectError(undefined, '', 'reconnect'),
  new ConnectionLostError(),
  new DeadlineExceededError(0, false),
  new InvalidArgumentError('', ''),
  new InvalidOptionError('', ''),
  new NoTransportError([]),
  new PayloadTooLargeError(0, 0),
  new RequestCancelledError(undefined),
  new RequestError(Status.unknown),
  new RequestQueueFullError(0),
];

const PROTOTYPES: ReadonlyMap<unknown, object> = new Map<unknown, object>([
  ...SAMPLES.map((sample) => [sample.code, Object.getPrototypeOf(sample)] as const),
  ...[TypeError, RangeError, SyntaxError].map((builtIn) => [builtIn.name, builtIn.prototype] as const),
]);

/** A cause of a cause of a cause helps nobody. */
const MAX_CAUSES = 4;

export function toPlainError(thrown: unknown, depth = 0): PlainError {
  if (!(thrown instanceof Error)) {
    return { name: 'Error', message: String(thrown), stack: undefined, fields: {}, cause: undefined };
  }
  const { name, message, stack, cause } = thrown;
  const isTold = cause !== undefined && depth < MAX_CAUSES;
  const fields = Object.fromEntries(Object.entries(thrown).filter(([, value]) => isCloneable(value)));
  return { name, message, stack, fields, cause: isTold ? toPlainError(cause, depth + 1) : undefined };
}

/** @returns an error of the class that its code or name says; a plain Error where this side does not know it */
export function fromPlainError({ name, message, stack, fields, cause }: PlainError): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause: fromPlainError(cause) });
  const prototype = PROTOTYPES.get(fields['code']) ?? PROTOTYPES.get(name);
  if (prototype !== undefined) Object.setPrototypeOf(error, prototype);
  else Object.defineProperty(error, 'name', { value: name });
  if (stack !== undefined) Object.defineProperty(error, 'stack', { value: stack });
  return Object.assign(error, fields);
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
