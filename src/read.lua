-- Reads a page. KEYS: the log. ARGV: 'forward' or 'reverse', cursor, count, and the index that bounds the page ('' for none).
-- Returns nothing where there is no log; else the newest id, the oldest id, and the page as JSON, an id and its fields an entry;
-- or 'unreadable' with what is wrong with the stored data. (The host takes one string for much less than many.)
local found = redis.pcall('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if found.err then return { 'unreadable', found.err } end
if not found[1] then return {} end

local newest = found[1][1]
local epoch, last = string.match(newest, '^(%d+)%-(%d+)$')
local order, cursor, count, before = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])

local function id(index)
  return epoch .. '-' .. string.format('%.0f', index)
end

-- Where none is missing, the oldest is known without reading it.
local oldest = id(0)
if redis.call('XLEN', KEYS[1]) <= tonumber(last) then oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1] end

local top = tonumber(last)
if before then top = math.min(top, before - 1) end

local page = {}
if order == 'forward' then
  if cursor <= top then
    page = redis.call('XRANGE', KEYS[1], id(cursor), id(top), 'COUNT', count)
  end
elseif cursor <= top then
  page = redis.call('XREVRANGE', KEYS[1], id(top - cursor), id(0), 'COUNT', count)
end
return { newest, oldest, page[1] and cjson.encode(page) or '[]' }
