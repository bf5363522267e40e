-- Reads a page. KEYS: the chat log. ARGV: 'forward', 'reverse', or 'after' (forward, and notices count), cursor, count, the index that bounds the page ('' for none), how many
-- stored bytes end a page, and what the log must confirm: an epoch ('' for nothing), and the index and the time of a position ('' if
-- the cursor alone must lie in the log of that epoch, or at its end; in reverse, only the epoch counts). The cursor is the index after
-- that of a position.
-- Returns nothing if there is no message; else 'page', the newest id and its time, the oldest index, the last place in the page's direction that may have
-- a message (with 'after', or a notice; -1 for none), and the page in runs of entries
-- whose indexes follow one another (in reverse, downwards): for each run, the first id, '1' if all that is missing
-- before it was deleted (with 'after'), and as MessagePack, of each entry its time (with a
-- space and its data or what the notice says, if it has any) and '<sender>:<text>'; or 'void', an epoch, an index and a time: what the client has from the index on was lost, and the newest
-- entry before it was sent at that time; or 'unreadable' with what is wrong with the stored data.
-- (The host takes one string for much less than many, and cmsgpack packs one table for much less than one for each entry.)
local log = KEYS[1]
-- Not among the keys: while a slot moves, a Cluster refuses two keys of which it has one, and most chats have no holes.
local holes = string.sub(log, 1, -#'log' - 1) .. 'holes'
local order, cursor, count, before = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local most_bytes, basis, position, time = tonumber(ARGV[5]), ARGV[6], ARGV[7], ARGV[8]

-- A step is what Redis loads before the script sees how long it is: entries of 64 KiB, if it must be.
local STEP, STEP_WORD = 16, '16'
-- A page of messages with many notices between them ends after so many steps.
local MOST_STEPS = 128

local is_after = order == 'after'
if is_after then order = 'forward' end

-- The first step of the page, which begins at its entry `at`. If the newest entry is in it, that needs no read of its own.
local step, at, newest, is_own = nil, 1, nil, false
if position ~= '' and not before then
  local own, asked = basis .. '-' .. position, math.min(count + 1, STEP)
  local found = redis.pcall('XRANGE', log, own, '+', 'COUNT', asked)
  if found.err then return { 'unreadable', found.err } end
  if found[1] then step = found end
  if #found < asked then newest = found[#found] end
  if step and step[1][1] == own then
    at, is_own = 2, step[1][2][1] == time
  end
end
if not newest then
  local begins_with_it = order == 'reverse' and cursor == 0 and not before
  local found = redis.pcall('XREVRANGE', log, '+', '-', 'COUNT', begins_with_it and math.min(count, STEP) or '1')
  if found.err then return { 'unreadable', found.err } end
  newest = found[1]
  if begins_with_it and newest then step = found end
end
local epoch, last
if newest then epoch, last = parse_id(newest[1]) end

if position ~= '' then
  local is_confirmed = is_own and basis == epoch
  local reset = not is_confirmed and unconfirmed(log, newest, basis, tonumber(position), tonumber(time))
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
local oldest, first = 0, nil
if redis.call('XLEN', log) <= last then
  first = first_of(log, 'XRANGE', '-', '+')
  oldest = select(2, parse_id(first[1]))
end

-- What is beyond the last message in the page's direction is nothing to ask for.
local top = before and math.min(last, before - 1) or last
local far = order == 'forward' and top or oldest
if is_after then
  -- Notices count.
elseif order == 'forward' and first and (before or is_notice(newest)) then
  far = message_below(holes, epoch, top)
elseif order == 'reverse' and first and is_notice(first) then
  far = message_above(holes, epoch, oldest)
end

local reply, bytes, strange, skipped = { 'page', newest[1], newest[2][1], oldest, far }, 0, nil, 0

local index_at = #epoch + 2
local run, size, run_end = nil, 0, is_after and cursor - 1 or nil

local function end_run()
  if run and size > 0 then
    reply[#reply + 1] = cmsgpack.pack(run)
  elseif run then
    reply[#reply], reply[#reply - 1] = nil, nil
  end
  run = nil
end

-- Adds entries to the run, or to another one if indexes are missing.
local function add(entries, from, to)
  if bytes >= most_bytes then return end
  local begin, stop = tonumber(string.sub(entries[from][1], index_at)), tonumber(string.sub(entries[to][1], index_at))
  if math.abs(stop - begin) ~= to - from then
    local middle = math.floor((from + to) / 2)
    add(entries, from, middle)
    return add(entries, middle + 1, to)
  end
  local is_told = ''
  if run and math.abs(begin - run_end) ~= 1 then end_run() end
  if is_after and begin > run_end + 1 and run_end + 1 >= oldest then
    is_told = holes_between(holes, epoch, run_end + 1, begin - 1) == begin - run_end - 1 and '1' or ''
  end
  run_end = stop
  if not run then
    reply[#reply + 1], reply[#reply + 2], run, size = entries[from][1], is_told, {}, 0
  end
  for i = from, to do
    if bytes >= most_bytes then break end
    local fields = entries[i][2]
    local sent, value, kind = fields[1], fields[2], fields[3]
    if kind then
      if kind == 'notice' and not is_after then
        end_run()
        skipped = skipped + 1
        if i < to then add(entries, i + 1, to) end
        return
      end
      if kind ~= 'data' and kind ~= 'notice' or fields[5] then strange = strange or entries[i][1] end
      sent = sent .. ' ' .. fields[4]
      bytes = bytes + #fields[4]
    end
    run[size + 1], run[size + 2] = sent, value
    size = size + 2
    bytes = bytes + #value
  end
end

-- Entries of another epoch than the newest one's are not the log's: somebody else added them, below its own.
local function is_of_log(entry)
  return string.sub(entry[1], 1, index_at - 1) == epoch .. '-'
end

-- The id from which the page goes on: past notices at once, however many there are.
local function id_after(entry, is_all_notices)
  if not is_all_notices then return '(' .. entry[1] end
  local place = select(2, parse_id(entry[1]))
  if order == 'forward' then return format_id(epoch, message_above(holes, epoch, place + 1)) end
  local below = message_below(holes, epoch, place - 1)
  return below >= 0 and format_id(epoch, below)
end

local function read(command, from, to)
  local steps = 0
  while from ~= false and count > 0 and bytes < most_bytes and steps < MOST_STEPS do
    steps, skipped = steps + 1, 0
    local wanted = math.min(count, STEP)
    local some = step or redis.call(command, log, from, to, 'COUNT', wanted == STEP and STEP_WORD or wanted)
    if step then
      wanted = math.min(count, STEP - at + 1)
      while some[at] and not is_of_log(some[#some]) do
        some[#some] = nil
      end
    end
    if some[at] then add(some, at, #some) end
    if #some - at + 1 < wanted then break end
    step, at, count, from = nil, 1, count - wanted + skipped, id_after(some[#some], skipped == wanted)
  end
  end_run()
end

if step then
  read(order == 'forward' and 'XRANGE' or 'XREVRANGE', nil, order == 'forward' and '+' or epoch .. '-0')
elseif cursor <= top and order == 'forward' then
  read('XRANGE', format_id(epoch, cursor), before and format_id(epoch, top) or '+')
elseif cursor <= top then
  read('XREVRANGE', format_id(epoch, top - cursor), epoch .. '-0')
end
if strange then return { 'unreadable', 'entry ' .. strange .. ': does not have the fields of a message' } end
return reply
