-- Whether a chat log confirms a client's position. Stands in front of the scripts that need it, after entry.lua.

local function void(epoch, index, time)
  return { 'void', epoch or '', index, time }
end

-- The first index up to `high` whose entries are all later than `time`, by binary search.
local function search(log, epoch, high, time)
  local _, low = parse_id(first_of(log, 'XRANGE', '-', '+')[1])
  while low < high do
    local middle = math.floor((low + high) / 2)
    local entry = first_of(log, 'XRANGE', format_id(epoch, middle), '+')
    if not entry or time_of(entry) > time then
      high = middle
    else
      local _, index = parse_id(entry[1])
      low = index + 1
    end
  end
  return low
end

-- Returns nothing if the log confirms that everything up to `index` is the client's, the newest of it sent at `time`. Else returns the
-- reply that names the index from which the client's copy is void: that of the first entry later than its own; 0 if it has another log,
-- or if the search finds no place within its copy.
-- `newest` is the log's newest entry.
local function unconfirmed(log, newest, epoch, index, time)
  if not newest then
    local given_epoch, given = last_given(log)
    if given_epoch ~= epoch then return void(given_epoch, 0, 0) end
    if given < index then return void(epoch, given + 1, time) end
    return nil
  end
  local log_epoch, last = parse_id(newest[1])
  if log_epoch ~= epoch then return void(log_epoch, 0, 0) end

  local own = format_id(epoch, index)
  local below = newest
  if last ~= index then below = first_of(log, 'XREVRANGE', own, '-') end
  if not below then
    -- Trimmed up to here: what is left must be later.
    if time_of(first_of(log, 'XRANGE', '-', '+')) > time then return nil end
  else
    local _, found = parse_id(below[1])
    if found == index then
      if time_of(below) == time then return nil end
    elseif time_of(below) <= time then
      -- The entry at the index was removed by hand, if what follows is later, or if the index was given out.
      local above = first_of(log, 'XRANGE', '(' .. own, '+')
      if above then
        if time_of(above) > time then return nil end
      else
        local _, given = last_given(log)
        if given >= index then return nil end
      end
    end
  end

  local start = search(log, epoch, math.min(last, index) + 1, time)
  if start > index then return void(epoch, 0, 0) end
  local before = start > 0 and first_of(log, 'XREVRANGE', format_id(epoch, start - 1), '-')
  return void(epoch, start, before and time_of(before) or 0)
end
