-- Reads a page. KEYS: the chat log. ARGV: 'forward' or 'reverse', cursor, count, the index that bounds the page ('' for none), how many
-- stored bytes end a page, and what the log must confirm: an epoch ('' for nothing), and the index and the time of a position ('' if
-- the cursor alone must lie in the log of that epoch, or at its end; in reverse, only the epoch counts). The cursor is the index after
-- that of a position.
-- Returns nothing if there is no message; else 'page', the newest id and its time, the oldest index, and the page in runs of entries
-- whose indexes follow one another (in reverse, downwards): for each run, the first id, and as MessagePack, of each entry its time and
-- '<sender>:<text>'; or 'void', an epoch, an index and a time: what the client has from the index on was lost, and the newest
-- entry before it was sent at that time; or 'unreadable' with what is wrong with the stored data.
-- (The host takes one string for much less than many, and cmsgpack packs one table for much less than one for each entry.)
local log = KEYS[1]
local order, cursor, count, before = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local most_bytes, basis, position, time = tonumber(ARGV[5]), ARGV[6], ARGV[7], ARGV[8]

-- Reads in steps that keep no other client of Redis waiting.
local STEP = 100
local asked = math.min(count, STEP)

-- The first step of the page, which begins at its entry `at`. If the newest entry is in it, that needs no read of its own.
local step, at, newest = nil, 1, nil
if position ~= '' and not before then
  local own = basis .. '-' .. position
  local found = redis.pcall('XRANGE', log, own, '+', 'COUNT', asked + 1)
  if found.err then return { 'unreadable', found.err } end
  if found[1] and found[1][1] == own and found[1][2][1] == time then
    step, at = found, 2
    if #found <= asked then newest = found[#found] end
  end
end
if not newest then
  local begins_with_it = order == 'reverse' and cursor == 0 and not before
  local found = redis.pcall('XREVRANGE', log, '+', '-', 'COUNT', begins_with_it and asked or '1')
  if found.err then return { 'unreadable', found.err } end
  newest = found[1]
  if begins_with_it and newest then step = found end
end
local epoch, last
if newest then epoch, last = parse_id(newest[1]) end
if step then
  -- Entries of another epoch than the newest one's are not the log's: somebody else added them.
  local oldest_read = at == 1 and step[#step] or step[1]
  if string.sub(oldest_read[1], 1, #epoch + 1) ~= epoch .. '-' then step, at = nil, 1 end
end

if position ~= '' then
  local reset = not step and unconfirmed(log, newest, basis, tonumber(position), tonumber(time))
  if reset then return reset end
elseif basis ~= '' then
  local log_epoch, given = epoch, last
  local beyond = order == 'forward' and newest and cursor > last + 1
  if not newest or beyond then log_epoch, given = last_given(log) end
  if log_epoch ~= basis then return void(log_epoch, 0, 0) end
  if order == 'forward' and cursor > given + 1 then return void(log_epoch, given + 1, newest and time_of(newest) or 0) end
end
if not newest then return {} end

-- If no entry is missing, the oldest is known without reading it.
local oldest = 0
if redis.call('XLEN', log) <= last then
  local _, index = parse_id(first_of(log, 'XRANGE', '-', '+')[1])
  oldest = index
end

local reply, bytes, strange = { 'page', newest[1], newest[2][1], oldest }, 0, nil

local index_at = #epoch + 2
-- Adds entries to the reply, in as many runs as needed.
local function add(entries, from, to)
  if bytes >= most_bytes then return end
  local distance = string.sub(entries[to][1], index_at) - string.sub(entries[from][1], index_at)
  if math.abs(distance) ~= to - from then
    local middle = math.floor((from + to) / 2)
    add(entries, from, middle)
    return add(entries, middle + 1, to)
  end
  local run, size = {}, 0
  for i = from, to do
    if bytes >= most_bytes then break end
    local fields = entries[i][2]
    local value = fields[2]
    if fields[3] then strange = strange or entries[i][1] end
    run[size + 1], run[size + 2] = fields[1], value
    size = size + 2
    bytes = bytes + #value
  end
  local length = #reply
  reply[length + 1], reply[length + 2] = entries[from][1], cmsgpack.pack(run)
end

local function read(command, from, to)
  while count > 0 and bytes < most_bytes do
    asked = math.min(count, STEP)
    local some = step or redis.call(command, log, from, to, 'COUNT', asked)
    if some[at] then add(some, at, #some) end
    if #some - at + 1 < asked then return end
    step, at, count, from = nil, 1, count - asked, '(' .. some[#some][1]
  end
end

local top = before and math.min(last, before - 1) or last
if step then
  read(order == 'forward' and 'XRANGE' or 'XREVRANGE', nil, order == 'forward' and '+' or epoch .. '-0')
elseif cursor <= top and order == 'forward' then
  read('XRANGE', format_id(epoch, cursor), before and format_id(epoch, top) or '+')
elseif cursor <= top then
  read('XREVRANGE', format_id(epoch, top - cursor), epoch .. '-0')
end
if strange then return { 'unreadable', 'entry ' .. strange .. ': does not have the one field of a message' } end
return reply
