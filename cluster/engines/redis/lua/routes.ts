/**
 * Scripts on routes. Each takes its items as flat arguments that begin with the item's key; the one key declared is
 * for finding the server. A script without a `#!` line may touch any slot of its server; those that write look at
 * every key first, so that a slot which has moved away is found out before anything was written.
 *
 * A fence is 7 bytes, big-endian, from the 9th byte of a packed route (`route-codec.ts`).
 */
import { defineScript } from '../script.js';

const look = (argumentsPerItem: number) => `
if #ARGV > ${argumentsPerItem} then
  for i = 1, #ARGV, ${argumentsPerItem} do redis.call('EXISTS', ARGV[i]) end
end
`;

/**
 * What stands before a bucket's tag in a key, what stands behind it, and devices as `tag 4 | length 1 | device id`:
 * of all that a look-up costs, most would be the arguments' and the answers' own overhead.
 *
 * @returns packed routes, each behind its length of 1 byte, or of 255 and 2 bytes; length 0 where there is none
 */
export const lookupScript = defineScript(
  'routes.lookup',
  `
local stem, rest, devices = ARGV[1], ARGV[2], ARGV[3]
local sub, byte, char, call = string.sub, string.byte, string.char, redis.call
local found = {}
local at, n, last = 1, 0, #devices
while at < last do
  local stop = at + 4 + byte(devices, at + 4)
  local route = call('HGET', stem .. sub(devices, at, at + 3) .. rest, sub(devices, at + 5, stop))
  if not route then
    found[n + 1] = char(0)
    n = n + 1
  else
    local length = #route
    found[n + 1] = length < 255 and char(length) or struct.pack('>BI2', 255, length)
    found[n + 2] = route
    n = n + 2
  end
  at = stop + 1
end
return table.concat(found)
`,
);

/** Items of key, device, incarnation, what follows the fence. @returns pairs: fence, packed route that was replaced */
export const claimScript = defineScript(
  'routes.claim',
  `${look(4)}
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local claimed = {}
for i = 1, #ARGV, 4 do
  local known = redis.call('HMGET', ARGV[i], '', ARGV[i + 1])
  local fence = now
  if known[1] then fence = math.max(fence, struct.unpack('>I7', known[1]) + 1) end
  if known[2] then fence = math.max(fence, struct.unpack('>I7', known[2], 9) + 1) end
  local packed = struct.pack('>I7', fence)
  redis.call('HSET', ARGV[i], '', packed, ARGV[i + 1], ARGV[i + 2] .. packed .. ARGV[i + 3])
  claimed[#claimed + 1] = packed
  claimed[#claimed + 1] = known[2]
end
return claimed
`,
);

/** Items of key, device, packed route. @returns pairs: whether it stands, packed route before */
export const restoreScript = defineScript(
  'routes.restore',
  `${look(3)}
local restored = {}
for i = 1, #ARGV, 3 do
  local known = redis.call('HMGET', ARGV[i], '', ARGV[i + 1])
  local fence = struct.unpack('>I7', ARGV[i + 2], 9)
  local stands = not known[2] or struct.unpack('>I7', known[2], 9) <= fence
  if stands then
    redis.call('HSET', ARGV[i], ARGV[i + 1], ARGV[i + 2])
    if not known[1] or struct.unpack('>I7', known[1]) < fence then
      redis.call('HSET', ARGV[i], '', struct.pack('>I7', fence))
    end
  end
  restored[#restored + 1] = stands and 1 or 0
  restored[#restored + 1] = known[2]
end
return restored
`,
);

/** Items of key, device, fence. @returns packed routes or nil */
export const releaseScript = defineScript(
  'routes.release',
  `${look(3)}
local released = {}
for i = 1, #ARGV, 3 do
  local known = redis.call('HGET', ARGV[i], ARGV[i + 1])
  local stood = known and string.sub(known, 9, 15) == ARGV[i + 2]
  if stood then redis.call('HDEL', ARGV[i], ARGV[i + 1]) end
  released[#released + 1] = stood and known
end
return released
`,
);

/** One key, device, packed route as it was read, packed route. @returns 1 when nobody had changed it since, or 0 */
export const swapScript = defineScript(
  'routes.swap',
  `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
`,
);

/**
 * Reads buckets whole, one after the other, until it has seen enough: what stands before a bucket's tag in a key, how
 * many routes are enough, incarnation or empty for all, the buckets' tags, apps.
 *
 * @returns an item a bucket it has read: for each app in turn, a list of device ids and packed routes
 */
export const scanScript = defineScript(
  'routes.scan',
  `
local enough, incarnation, buckets = tonumber(ARGV[2]), ARGV[3], ARGV[4]
local read = {}
local seen = 0
for at = 1, #buckets, 4 do
  local stem = ARGV[1] .. string.sub(buckets, at, at + 3) .. '}:'
  local apps = {}
  for i = 5, #ARGV do
    local all = redis.call('HGETALL', stem .. ARGV[i])
    local some = {}
    for j = 1, #all, 2 do
      if all[j] ~= '' and (incarnation == '' or string.sub(all[j + 1], 1, 8) == incarnation) then
        some[#some + 1] = all[j]
        some[#some + 1] = all[j + 1]
      end
    end
    seen = seen + #all / 2
    apps[#apps + 1] = some
  end
  read[#read + 1] = apps
  if seen >= enough then break end
end
return read
`,
);
