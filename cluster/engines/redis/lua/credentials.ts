/**
 * Scripts on shared credentials, all in one slot. A record is kept as `order untilMs value`. Versions follow Redis's
 * clock and never go back, so they grow over an emptied store too; its epoch tells that it was emptied.
 */
import { defineScript } from '../script.js';

/**
 * KEYS: records, versions, ends, state, changes. ARGV: key, order, milliseconds, value, in turn.
 *
 * @returns epoch, version
 */
export const putCredentialsScript = defineScript(
  'credentials.put',
  `
local time = redis.call('TIME')
local us = time[1] * 1000000 + time[2]
local now = math.floor(us / 1000)
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 500)) do
  redis.call('HDEL', KEYS[1], key)
  redis.call('ZREM', KEYS[2], key)
  redis.call('ZREM', KEYS[3], key)
end
redis.call('HSETNX', KEYS[4], 'epoch', string.format('%.0f', us))
local last = tonumber(redis.call('HGET', KEYS[4], 'version') or '0')
local version = math.max(last, us)
local stored = false
for i = 1, #ARGV, 4 do
  local key, order, till = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local known = redis.call('HGET', KEYS[1], key)
  local isNewer = not known or tonumber(order) > tonumber(string.match(known, '^%d+'))
  if isNewer and (till == 0 or till > now) then
    version = version + 1
    stored = true
    redis.call('HSET', KEYS[1], key, order .. ' ' .. ARGV[i + 2] .. ' ' .. ARGV[i + 3])
    redis.call('ZADD', KEYS[2], string.format('%.0f', version), key)
    if till > 0 then redis.call('ZADD', KEYS[3], ARGV[i + 2], key) else redis.call('ZREM', KEYS[3], key) end
  end
end
if stored then
  last = version
  redis.call('HSET', KEYS[4], 'version', string.format('%.0f', version))
  redis.call('SPUBLISH', KEYS[5], '')
end
return {redis.call('HGET', KEYS[4], 'epoch'), string.format('%.0f', last)}
`,
);

/**
 * KEYS: records, versions, state. ARGV: epoch, version, how many.
 *
 * @returns epoch, version, `1` when it begins at the beginning, `1` when there is more; key, record, in turn
 */
export const readCredentialsScript = defineScript(
  'credentials.read',
  `
local epoch = redis.call('HGET', KEYS[3], 'epoch') or ''
local from = ARGV[1] == epoch and ARGV[2] or '0'
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. from, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3] + 1)
local hasMore = #found > 2 * ARGV[3]
local count = hasMore and 2 * ARGV[3] or #found
local at = hasMore and found[count] or (redis.call('HGET', KEYS[3], 'version') or '0')
local reply = {epoch, at, from == '0' and 1 or 0, hasMore and 1 or 0}
for i = 1, count, 2 do
  local record = redis.call('HGET', KEYS[1], found[i])
  if record then
    reply[#reply + 1] = found[i]
    reply[#reply + 1] = record
  end
end
return reply
`,
);

/** KEYS: marks. @returns them, nil where there is none */
export const confirmedCredentialsScript = defineScript(
  'credentials.confirmed',
  "return redis.call('MGET', unpack(KEYS))",
);
