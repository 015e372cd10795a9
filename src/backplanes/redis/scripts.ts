import { createHash } from "node:crypto";

/** A script that the server runs as one act. */
export interface Script {
  readonly text: string;
  /** The name under which the server knows it once it has run it. */
  readonly sha: string;
}

/**
 * A log is a stream, whose key is the name of the channel, so that both are in one slot of a Cluster. The id of an entry is
 * the time when the stream began, in microseconds, and the entry's place: 1, 2, 3 and so on. One field has the entry.
 *
 * The epoch of a log is that time and the incarnation of the server, the first digits of its `master_replid`. This is another
 * one after each restart and each failover, which may have lost the last entries, and no second key has to agree with it.
 */
const FIND = `
local key = KEYS[1]
local epoch, incarnation
local head, floor = 0, 0

local function find()
  incarnation = string.sub(string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)'), 1, 10)
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  if not last then return false end
  epoch, head = string.match(last[1], '^(%d+)-(%d+)$')
  head = tonumber(head)
  floor = tonumber(string.match(redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1][1], '%d+$')) - 1
  return true
end
`;

/**
 * Appends entries, and publishes those that it has appended as one message. Returns the epoch and the place of each entry, 0
 * for one whose place is unknown.
 *
 * Its arguments are the limits, then epoch and incarnation as the last append has found them, which are empty if this is to
 * find them, then what tells of a retry, and then the entries. What the last append has found is right unless the key is
 * gone or another node has begun a new log since, which the first `XADD` shows.
 */
export const APPEND: Script = scriptOf(`${FIND}
local FIRST = 8
local size, age = ARGV[1], ARGV[2]
local isRetry, triedIn, triedAfter = ARGV[5] == '1', ARGV[6], ARGV[7]

local function open()
  -- A script that is stopped half way would leave an entry of which nobody is told.
  if not (redis.acl_check_cmd('XADD', key, '*', 'm', '') and redis.acl_check_cmd('PEXPIRE', key, '1')
    and redis.acl_check_cmd('DEL', key) and redis.acl_check_cmd('SPUBLISH', key, '')) then
    error({ err = 'NOPERM this user may not use XADD, PEXPIRE, DEL and SPUBLISH for the channel' })
  end
  find()
end

-- Begins a log, later than any before it even if the clock was set back.
local function begin(entry, above)
  local time = redis.call('TIME')
  epoch = string.format('%.0f', math.max(time[1] * 1000000 + time[2], above + 1 + time[2]))
  return redis.pcall('XADD', key, epoch .. '-1', 'm', entry)
end

local function append(entry)
  if not epoch then return begin(entry, 0) end
  local id = redis.pcall('XADD', key, 'NOMKSTREAM', 'MAXLEN', '~', size, epoch .. '-*', 'm', entry)
  if type(id) ~= 'string' or string.sub(id, -2) ~= '-0' then return id end
  -- The stream is of an earlier time: another node has begun it after the clock was set back.
  redis.call('DEL', key)
  return begin(entry, tonumber(epoch))
end

-- Returns the last number that the origin of these entries has in the log, and its places by number; nothing if so much
-- was trimmed that nobody can tell.
local function look()
  if not epoch then return 0, {} end
  local number, origin = string.match(ARGV[FIRST], '^(%d+) %S+ ([^\\n]*)\\n')
  local isSame = triedIn == epoch .. '-' .. incarnation
  local start, stop = isSame and '(' .. epoch .. '-' .. triedAfter or '-', '+'
  local places, newest = {}, nil
  local page
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
  if newest or floor == 0 or (isSame and floor <= tonumber(triedAfter)) then return newest or 0, places end
end

local isKnown = not isRetry and ARGV[3] ~= ''
local newest, places = 0, {}
if isKnown then epoch, incarnation = ARGV[3], ARGV[4] else open() end
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
    local id = append(entry)
    if isKnown and not first and (not id or (id.err and string.sub(id.err, 1, 4) == 'ERR ')) then
      epoch = nil
      open()
      id = append(entry)
    end
    if type(id) ~= 'string' then return id end
    local at = string.match(id, '%d+$')
    first = first or at
    added[#added + 1] = entry
    answer[#answer + 1] = (newest or length == '-') and tonumber(at) or 0
  end
end

answer[1] = epoch .. '-' .. incarnation
if first then
  redis.call('PEXPIRE', key, age)
  redis.call('SPUBLISH', key, '\\0\\1' .. answer[1] .. ' ' .. first .. '\\n' .. table.concat(added))
end
return answer
`);

/**
 * Reads the first entries behind a place, or the last ones. Returns epoch, head, floor and the entries; nothing if there is no
 * log.
 */
export const READ: Script = scriptOf(`${FIND}
if not find() then return false end
local after, most = tonumber(ARGV[2]), tonumber(ARGV[3])
local name = epoch .. '-' .. incarnation
if ARGV[1] ~= name or after < floor then after = math.max(floor, head - most) end
local entries = {}
if most > 0 then
  entries = redis.call('XRANGE', key, string.format('(%s-%.0f', epoch, after), '+', 'COUNT', ARGV[3])
end
return { name, head, floor, entries }
`);

function scriptOf(text: string): Script {
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}
