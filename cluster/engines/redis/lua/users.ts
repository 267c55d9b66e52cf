/**
 * Scripts on the index of users: per user a list of `length 1 | device id | fence 7`. The fence is that of the login
 * that made the entry, so that what a login leaves behind is not taken for what a later one has put there.
 */
import { defineScript } from '../script.js';

/** Items of key, user, device, fence, `+` or `-`. A `-` takes away an entry that is not newer. */
export const changeUsersScript = defineScript(
  'users.change',
  `
if #ARGV > 5 then
  for i = 1, #ARGV, 5 do redis.call('EXISTS', ARGV[i]) end
end
for i = 1, #ARGV, 5 do
  local key, user, device, fence, sign = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local list = redis.call('HGET', key, user) or ''
  local rest = {}
  local stays = false
  local at = 1
  while at <= #list do
    local length = string.byte(list, at)
    local entry = string.sub(list, at, at + length + 7)
    local same = string.sub(entry, 2, length + 1) == device
    local newer = same and struct.unpack('>I7', entry, length + 2) > struct.unpack('>I7', fence)
    if newer then stays = true end
    if not same or newer then rest[#rest + 1] = entry end
    at = at + length + 8
  end
  if sign == '+' and not stays then rest[#rest + 1] = string.char(#device) .. device .. fence end
  if #rest > 0 then
    redis.call('HSET', key, user, table.concat(rest))
  elseif list ~= '' then
    redis.call('HDEL', key, user)
  end
end
return 0
`,
);

/** Items of key, user. @returns lists or nil */
export const usersScript = defineScript(
  'users.devices',
  `
local found = {}
for i = 1, #ARGV, 2 do found[#found + 1] = redis.call('HGET', ARGV[i], ARGV[i + 1]) end
return found
`,
);
