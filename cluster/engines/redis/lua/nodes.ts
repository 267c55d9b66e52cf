/**
 * Scripts on nodes and their leases, all in one slot. They take the incarnation of leases and marks from KEYS where
 * there is one, and put the others' together from the first ARGV, the beginning of all leases.
 */
import { defineScript } from '../script.js';

/** A lease in its last millisecond still stands. */
const NODES = `
local function nodes()
  local fields = redis.call('HGETALL', KEYS[1])
  local found = {}
  for i = 1, #fields, 2 do
    local left = redis.call('PTTL', ARGV[1] .. fields[i])
    found[i] = fields[i + 1]
    found[i + 1] = left < 0 and 0 or math.max(1, left)
  end
  return found
end
`;

/** A node that was cut off for longer than its mark is kept takes itself for forgotten, and puts its routes back. */
const SWEPT_MS = 24 * 3_600_000;

/** KEYS: records. ARGV: beginning of leases. @returns record, milliseconds left, in turn */
export const listNodesScript = defineScript('nodes.list', `${NODES} return nodes()`);

/**
 * KEYS: records, changes, lease, mark. ARGV: beginning of leases, incarnation, record, milliseconds, `1` when the node
 * has heard that it was gone.
 *
 * @returns `own` of the view; all nodes, as `nodes.list`
 */
export const renewScript = defineScript(
  'nodes.renew',
  `${NODES}
local mark = redis.call('GET', KEYS[4])
if mark and (mark ~= 'swept' or ARGV[5] ~= '1') then return {'gone', nodes()} end
redis.call('DEL', KEYS[4])
local stood = redis.call('EXISTS', KEYS[3]) == 1 and redis.call('HEXISTS', KEYS[1], ARGV[2]) == 1
redis.call('SET', KEYS[3], '', 'PX', ARGV[4])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
if stood then return {'renewed', nodes()} end
redis.call('SPUBLISH', KEYS[2], ARGV[2])
return {'new', nodes()}
`,
);

/**
 * KEYS: records, changes, lease, mark. ARGV: incarnation, `1` when it is the caller's own. Another's whose lease stands
 * is left alone: the node has come back while a slow sweeper was still at it. One that was declared gone will be told.
 */
export const withdrawScript = defineScript(
  'nodes.withdraw',
  `
local isOwn = ARGV[2] == '1'
if not isOwn and redis.call('EXISTS', KEYS[3]) == 1 then
  redis.call('DEL', KEYS[4])
  return 0
end
redis.call('SET', KEYS[4], 'swept', 'XX', 'PX', ${SWEPT_MS})
redis.call('DEL', KEYS[3])
local known = redis.call('HDEL', KEYS[1], ARGV[1])
if known == 1 then redis.call('SPUBLISH', KEYS[2], isOwn and ARGV[1] or '') end
return known
`,
);

/** KEYS: records, lease, mark. ARGV: incarnation, milliseconds. @returns microseconds since the Unix epoch, or nil */
export const declareGoneScript = defineScript(
  'nodes.declare-gone',
  `
if redis.call('EXISTS', KEYS[2]) == 1 then return false end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return false end
if not redis.call('SET', KEYS[3], '', 'NX', 'PX', ARGV[2]) then return false end
local now = redis.call('TIME')
return string.format('%.0f', now[1] * 1000000 + now[2])
`,
);
