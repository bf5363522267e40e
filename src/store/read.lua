-- Reads a page. KEYS: the chat log. ARGV: 'forward' or 'reverse', cursor, count, the index that bounds the page ('' for none), how many
-- stored bytes end a page, and what the log must confirm: an epoch ('' for nothing), and the index and the time of a position ('' if
-- the cursor alone must lie in the log of that epoch, or at its end; in reverse, only the epoch counts).
-- Returns nothing if there is no message; else 'page', the newest id and its time, the oldest id, and the page as MessagePack, an id
-- and its fields per entry; or 'void', an epoch, an index and a time: what the client has from the index on was lost, and the newest
-- entry before it was sent at that time; or 'unreadable' with what is wrong with the stored data.
-- (The host takes one string for much less than many.)
local log = KEYS[1]
local found = redis.pcall('XREVRANGE', log, '+', '-', 'COUNT', 1)
if found.err then return { 'unreadable', found.err } end
local newest = found[1]

local order, cursor, count, before = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local most_bytes, basis = tonumber(ARGV[5]), ARGV[6]

if ARGV[7] ~= '' then
  local reset = unconfirmed(log, newest, basis, tonumber(ARGV[7]), tonumber(ARGV[8]))
  if reset then return reset end
elseif basis ~= '' then
  local log_epoch, last = parse_id(newest and newest[1] or '0-0')
  local beyond = order == 'forward' and cursor > last + 1
  if not newest or beyond then log_epoch, last = last_given(log) end
  if log_epoch ~= basis then return void(log_epoch, 0, 0) end
  if order == 'forward' and cursor > last + 1 then return void(log_epoch, last + 1, newest and time_of(newest) or 0) end
end
if not newest then return {} end

local epoch, last = parse_id(newest[1])
local function id(index)
  return format_id(epoch, index)
end

-- If no entry is missing, the oldest is known without reading it.
local oldest = id(0)
if redis.call('XLEN', log) <= last then oldest = first_of(log, 'XRANGE', '-', '+')[1] end

local top = last
if before then top = math.min(top, before - 1) end

-- Reads in steps that keep no other client of Redis waiting.
local STEP = 100
local page, bytes = {}, 0

local function read(command, from, to)
  while #page < count do
    local asked = math.min(count - #page, STEP)
    local some = redis.call(command, log, from, to, 'COUNT', asked)
    local got = #page
    for i = 1, #some do
      if bytes >= most_bytes then return end
      local entry = some[i]
      page[got + i] = entry
      bytes = bytes + #(entry[2][2] or '')
    end
    if #some < asked or #page >= count then return end
    from = '(' .. page[#page][1]
  end
end

if cursor <= top then
  if order == 'forward' then
    read('XRANGE', id(cursor), id(top))
  else
    read('XREVRANGE', id(top - cursor), id(0))
  end
end
return { 'page', newest[1], newest[2][1], oldest, page[1] and cmsgpack.pack(page) or '' }
