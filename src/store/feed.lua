-- Looks into a person's feed, keeps it alive, and makes it if there is none: from then on, changes are written to it.
-- KEYS: the feed. ARGV: the id of the last change that the follower has ('' for none), the id of the first entry of a new feed, and how
-- long the feed lives without a look, in milliseconds.
-- Returns 'since', the newest id, and the chats that changed after the follower's id, each once; or 'all' and the newest id, if the feed
-- cannot say what changed; or 'unreadable' with what is wrong with the stored data.
--
-- The first entry's id is a nonce beyond any clock and 0. Redis gives the next ones the same nonce and 1, 2, ...: so every id says of
-- which feed it is, and never names an entry of another.
local feed, last, first, lifetime = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

if last ~= '' then
  local found = redis.pcall('XRANGE', feed, last, '+')
  if found.err then return { 'unreadable', found.err } end
  if found[1] and found[1][1] == last then
    redis.call('PEXPIRE', feed, lifetime)
    local reply, told = { 'since', found[#found][1] }, {}
    for at = 2, #found do
      local chat = found[at][2][2]
      if not told[chat] then
        told[chat] = true
        reply[#reply + 1] = chat
      end
    end
    return reply
  end
end

local found = redis.pcall('XREVRANGE', feed, '+', '-', 'COUNT', '1')
if found.err then return { 'unreadable', found.err } end
local newest = found[1] and found[1][1]
-- Also before there is a feed: if this is refused, none must be made that would live for ever.
redis.call('PEXPIRE', feed, lifetime)
if not newest then
  newest = redis.call('XADD', feed, first, 'begins', '')
  redis.call('PEXPIRE', feed, lifetime)
end
return { 'all', newest }
