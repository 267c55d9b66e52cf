/** `Idempotency-Key` on a route: the first answer is remembered as text and sent again for the same request. */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IdempotentAnswers } from './idempotency.js';
import { optionsOf } from './raw-message.js';

const REPLAYED_HEADER = 'trunkline-replayed';
const JSON_MEDIA_TYPE = 'application/json; charset=utf-8';

type Answering = Pick<FastifyRequest, 'subject' | 'headers' | 'raw' | 'body'>;

/**
 * Does `work`, or what it answered before; without the header simply does it.
 *
 * @throws {IdempotencyMismatchError} the key was used for another request
 */
export async function replaying<Answer extends object>(
  answers: IdempotentAnswers,
  request: Answering,
  reply: Pick<FastifyReply, 'header' | 'send'>,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string') return work();
  const { text, isReplay } = await answers.run(request.subject, key, fingerprintOf(request), async () =>
    JSON.stringify(await work()),
  );
  if (isReplay) reply.header(REPLAYED_HEADER, 'true');
  // Fastify takes the reply itself for "answered already".
  return reply.header('content-type', JSON_MEDIA_TYPE).send(text) as unknown as Answer;
}

function fingerprintOf({ raw, headers, body }: Answering): string {
  const hash = createHash('sha256').update(`${raw.method} ${raw.url}\n`);
  if (body instanceof Uint8Array)
    hash
      .update(JSON.stringify(optionsOf(headers)))
      .update('\n')
      .update(body);
  else hash.update(JSON.stringify(body ?? null));
  return hash.digest('base64');
}
