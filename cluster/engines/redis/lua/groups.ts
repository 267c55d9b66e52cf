/**
 * Scripts on groups. Those for many groups take flat items that begin with a key, as those on routes do. The record of
 * a group is a hash: `e` epoch, `o` offset, `t` when it was created.
 */
import { defineScript } from '../script.js';

/** KEYS: record. ARGV: epoch. @returns 1 when it is new */
export const createGroupScript = defineScript(
  'groups.create',
  `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local now = redis.call('TIME')
local ms = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000))
redis.call('HSET', KEYS[1], 'e', ARGV[1], 'o', 0, 't', ms)
return 1
`,
);

/** KEYS: record, sizes. @returns 1 when it existed */
export const dissolveGroupScript = defineScript(
  'groups.dissolve',
  `
redis.call('DEL', KEYS[2])
return redis.call('DEL', KEYS[1])
`,
);

/** Items of record. @returns when each was created, or nil */
export const groupAgesScript = defineScript(
  'groups.ages',
  `
local ages = {}
for i = 1, #ARGV do ages[i] = redis.call('HGET', ARGV[i], 't') end
return ages
`,
);

/**
 * Items of record, sizes, incarnation, members. A group that was dissolved a moment ago gets no sizes: they would be
 * there for ever.
 *
 * @returns for each 1, or 0 when there is no such group
 */
export const setSizesScript = defineScript(
  'groups.set-sizes',
  `
for i = 1, #ARGV, 4 do redis.call('EXISTS', ARGV[i]) end
local kept = {}
for i = 1, #ARGV, 4 do
  local sizes, node, members = ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if members == '0' then
    redis.call('HDEL', sizes, node)
    kept[#kept + 1] = 1
  elseif redis.call('EXISTS', ARGV[i]) == 1 then
    redis.call('HSET', sizes, node, members)
    kept[#kept + 1] = 1
  else
    kept[#kept + 1] = 0
  end
end
return kept
`,
);

/** Items of sizes. @returns for each a list: incarnation, members, in turn */
export const sizesScript = defineScript(
  'groups.sizes',
  `
local all = {}
for i = 1, #ARGV do all[i] = redis.call('HGETALL', ARGV[i]) end
return all
`,
);

/**
 * Numbers multicasts and publishes them behind the number of the first, as an 8-byte float. KEYS: record, which is the
 * channel's name as well. ARGV: how many, the multicasts.
 *
 * @returns number of the first, receivers; nil when there is no such group
 */
export const multicastScript = defineScript(
  'groups.multicast',
  `
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local first = redis.call('HINCRBY', KEYS[1], 'o', ARGV[1]) - ARGV[1] + 1
return {first, redis.call('SPUBLISH', KEYS[1], struct.pack('>d', first) .. ARGV[2])}
`,
);
