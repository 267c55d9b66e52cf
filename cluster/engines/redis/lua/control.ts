/** Scripts on what operators set: a change and its announcement are one step. */
import { defineScript } from '../script.js';

/**
 * KEYS: texts, changes. ARGV: name, `+` to keep the text or `-` to forget it, text, texts at most.
 *
 * @returns 1, or 0 when there are as many as may be
 */
export const writeControlScript = defineScript(
  'control.write',
  `
if ARGV[2] == '-' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  local isNew = redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0
  if isNew and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
redis.call('SPUBLISH', KEYS[2], ARGV[1])
return 1
`,
);

/** KEYS: texts. @returns name, text, in turn */
export const readControlScript = defineScript('control.read', `return redis.call('HGETALL', KEYS[1])`);
