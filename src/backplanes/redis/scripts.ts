import { createHash } from "node:crypto";

/** A script that the server runs as one act. */
export interface Script {
  readonly text: string;
  /** The name under which the server knows it once it has run it. */
  readonly sha: string;
}

/*
 * A log is a stream, whose key is the name of the channel, so that both are in one slot of a Cluster. The id of an entry is
 * the time when the log began, in microseconds, and the place of the entry: 1, 2, 3 and so on. Its one field is the entry as
 * `encodeEntry` makes it.
 *
 * The epoch of a log is that time and the incarnation of the server: the first digits of its `master_replid`, which is
 * another one after each restart and each failover, as these may have lost the last entries. So no second key has to agree
 * with the stream, and what is left of the log can still be read.
 */

/** Finds the log of a channel. */
const FIND = `
local key = KEYS[1]
local replid = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if not replid then return redis.error_reply('NOLOG this server tells no master_replid, as Redis 7 and Valkey do') end
local incarnation = string.sub(replid, 1, 10)
local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
local time, head, epoch
if last then
  time, head = string.match(last[1], '^(%d+)-(%d+)$')
  epoch = time .. '-' .. incarnation
end

local function floor()
  return tonumber(string.match(redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1][1], '%d+$')) - 1
end
`;

/**
 * Appends entries, and publishes those that it has appended as one message. Its arguments are the limits; where the log goes
 * on, and its epoch, as the last append has found them; the epoch and the place of a retry; and the entries. The third and
 * fourth are empty if this is to find the log, and the fifth is empty if it is no retry.
 *
 * Returns the id of the first entry, or the epoch and the place of each entry if it has found the log. The place is 0 if
 * nobody knows it.
 */
export const APPEND: Script = scriptOf(`
local size, age, nextId, tried, after = ARGV[1], ARGV[2], ARGV[3], ARGV[5], ARGV[6]
local FIRST = 7
local above = 0

-- What the last append has found holds, unless the key is gone or another node has begun a new log. That shows here.
if nextId ~= '' then
  local key = KEYS[1]
  local id = redis.pcall('XADD', key, 'NOMKSTREAM', 'MAXLEN', '~', size, nextId, 'm', ARGV[FIRST])
  if type(id) == 'string' then
    if string.sub(id, -2) ~= '-0' then
      for index = FIRST + 1, #ARGV do redis.call('XADD', key, 'MAXLEN', '~', size, nextId, 'm', ARGV[index]) end
      redis.call('PEXPIRE', key, age)
      redis.call('SPUBLISH', key, '\\0\\1' .. ARGV[4] .. ' ' .. id .. '\\n' .. table.concat(ARGV, '', FIRST))
      return id
    end
    -- Another node has begun the log after the clock was set back, and this was added as if it went on from there.
    redis.call('DEL', key)
    above = tonumber(string.match(id, '^%d+'))
  elseif id and string.sub(id.err, 1, 4) ~= 'ERR ' then
    return id
  end
end
${FIND}
-- A script that is stopped half way would leave an entry of which nobody is told.
if not (redis.acl_check_cmd('XADD', key, '*', 'm', '') and redis.acl_check_cmd('PEXPIRE', key, '1')
  and redis.acl_check_cmd('DEL', key) and redis.acl_check_cmd('SPUBLISH', key, '')) then
  return redis.error_reply('NOPERM this user may not use XADD, PEXPIRE, DEL and SPUBLISH with the name of the channel')
end

-- Returns the last number that the origin of the entries has in the log, and its places by number; nothing if so much was
-- trimmed that nobody can tell.
local function look()
  if not epoch then return 0, {} end
  local number, origin = string.match(ARGV[FIRST], '^(%d+) %S+ ([^\\n]*)\\n')
  local isSame = tried == epoch
  local start, stop = isSame and '(' .. time .. '-' .. after or '-', '+'
  local places, newest, page = {}, nil, nil
  repeat
    page = redis.call('XREVRANGE', key, stop, start, 'COUNT', 100)
    for _, record in ipairs(page) do
      local n, length, o = string.match(record[2][2], '^(%d+) (%S+) ([^\\n]*)\\n')
      if o == origin then
        newest = newest or tonumber(n)
        places[n] = length ~= '-' and tonumber(string.match(record[1], '%d+$')) or 0
        if tonumber(n) <= tonumber(number) then return newest, places end
      end
      stop = '(' .. record[1]
    end
  until #page < 100
  if newest or floor() <= (isSame and tonumber(after) or 0) then return newest or 0, places end
end

local function add(entry)
  if epoch then return redis.pcall('XADD', key, 'MAXLEN', '~', size, time .. '-*', 'm', entry) end
  -- Later than any log before, even if the clock was set back.
  local now = redis.call('TIME')
  time = string.format('%.0f', math.max(now[1] * 1000000 + now[2], above + 1 + now[2]))
  epoch = time .. '-' .. incarnation
  return redis.pcall('XADD', key, time .. '-1', 'm', entry)
end

local isRetry = tried ~= ''
local newest, places = 0, {}
if isRetry then newest, places = look() end

local answer, added, first = { '' }, {}, nil
for index = FIRST, #ARGV do
  local entry = ARGV[index]
  local number, length, origin
  if isRetry then number, length, origin = string.match(entry, '^(%d+) (%S+) ([^\\n]*)\\n') end
  if isRetry and newest and tonumber(number) <= newest then
    answer[#answer + 1] = places[number] or 0
  else
    if not newest then entry = number .. ' - ' .. origin .. '\\n' end
    local id = add(entry)
    if type(id) ~= 'string' then return id end
    first = first or id
    added[#added + 1] = entry
    answer[#answer + 1] = (newest or length == '-') and tonumber(string.match(id, '%d+$')) or 0
  end
end

answer[1] = epoch
if first then
  redis.call('PEXPIRE', key, age)
  redis.call('SPUBLISH', key, '\\0\\1' .. epoch .. ' ' .. first .. '\\n' .. table.concat(added))
end
return answer
`);

/**
 * Reads the first entries behind a place, or the last ones. Returns epoch, head, floor and the entries; nothing if there is no
 * log.
 */
export const READ: Script = scriptOf(`${FIND}
if not epoch then return false end
local after, most, low = tonumber(ARGV[2]), tonumber(ARGV[3]), floor()
if ARGV[1] ~= epoch or after < low then after = math.max(low, head - most) end
local entries = {}
if most > 0 then
  entries = redis.call('XRANGE', key, string.format('(%s-%.0f', time, after), '+', 'COUNT', ARGV[3])
end
return { epoch, tonumber(head), low, entries }
`);

function scriptOf(text: string): Script {
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}
