/**
 * What a client asks of the server, by business name: checks the arguments, builds the frame when it is sent (the
 * id of a business is known only once online) and turns a status other than OK into an error.
 */
import { FrameType, type ResponseFrame, Status, type StringMap } from '../protocol/index.js';
import { checkMap, checkName } from './arguments.js';
import { InvalidArgumentError, RequestError } from './errors.js';
import { type PayloadInput, toBytes } from './message.js';
import type { RequestTable } from './request-table.js';

export interface RequestOptions {
  readonly metadata?: StringMap | undefined;
  /** How long to wait, time offline included; the client's `requestDeadlineMs` by default. */
  readonly deadlineMs?: number | undefined;
  /** Cancels the request, at the back-end too. */
  readonly signal?: AbortSignal | undefined;
}

/** Position in a group's stream. */
export interface GroupPosition {
  readonly epoch: string;
  readonly offset: number;
}

export interface JoinAnswer extends GroupPosition {
  /** What was missed since the wanted position follows as pushes. */
  readonly recovered: boolean;
}

export class Calls {
  readonly #table: RequestTable;
  readonly #businessId: (name: string) => number;
  readonly #defaultDeadlineMs: number;

  /** @param businessId throws BusinessNotGrantedError */
  constructor(table: RequestTable, businessId: (name: string) => number, defaultDeadlineMs: number) {
    this.#table = table;
    this.#businessId = businessId;
    this.#defaultDeadlineMs = defaultDeadlineMs;
  }

  async request(
    business: string,
    method: string,
    input?: PayloadInput,
    { metadata = {}, deadlineMs = this.#defaultDeadlineMs, signal }: RequestOptions = {},
  ): Promise<ResponseFrame> {
    checkName('method', method);
    checkMap('metadata', metadata);
    if (!Number.isSafeInteger(deadlineMs) || deadlineMs < 1) {
      throw new InvalidArgumentError('deadlineMs', 'must be a whole number above 0');
    }
    const payload = toBytes(input);
    return succeeded(
      await this.#table.call({
        deadlineMs,
        signal,
        build: (requestId, leftMs) => ({
          type: FrameType.request,
          requestId,
          businessId: this.#businessId(business),
          method,
          metadata,
          deadlineMs: leftMs,
          payload,
        }),
      }),
    );
  }

  /** @param recover the position last seen, after a reconnect: pushes since then are wanted */
  async join(business: string, group: string, recover?: GroupPosition): Promise<JoinAnswer> {
    checkName('group', group);
    const { metadata } = succeeded(
      await this.#table.call({
        deadlineMs: this.#defaultDeadlineMs,
        control: true,
        build: (requestId) => ({
          type: FrameType.join,
          requestId,
          businessId: this.#businessId(business),
          group,
          recover,
        }),
      }),
    );
    const offset = Number(metadata['offset']);
    return {
      epoch: metadata['epoch'] ?? '',
      offset: Number.isSafeInteger(offset) ? offset : 0,
      recovered: metadata['recovered'] === 'true',
    };
  }

  async leave(business: string, group: string): Promise<void> {
    checkName('group', group);
    succeeded(
      await this.#table.call({
        deadlineMs: this.#defaultDeadlineMs,
        control: true,
        build: (requestId) => ({ type: FrameType.leave, requestId, businessId: this.#businessId(business), group }),
      }),
    );
  }

  async auth(token: string): Promise<void> {
    succeeded(
      await this.#table.call({
        deadlineMs: this.#defaultDeadlineMs,
        control: true,
        build: (requestId) => ({ type: FrameType.auth, requestId, token }),
      }),
    );
  }
}

function succeeded(response: ResponseFrame): ResponseFrame {
  if (response.status === Status.ok) return response;
  // As the protocol has it, a status nobody knows says that nothing is known.
  const status = response.status <= Status.unauthenticated ? response.status : Status.unknown;
  throw new RequestError(status, response.metadata, response.payload);
}
