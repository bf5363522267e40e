-- Touches a person's part of a chat in a Cluster, where it is in another slot than the chat: rings the feed, and puts the chat at its time in
-- the inbox. KEYS: the feed, the inbox. ARGV: the chat, the time of its newest message ('' to only ring), how many replicas must have
-- what this writes, and, if the log may have begun with it, the place that is a lost log's (0 for none, else '').
-- Returns the chat's time in the inbox if the log may have begun.
-- A touch may come late, after that of a later message, so the time only grows, but from the place of a lost log.
local feed, inbox = KEYS[1], KEYS[2]
local chat, time, replicas, lost = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

local function place()
  return lost and tonumber(redis.pcall('ZSCORE', inbox, chat))
end

if time ~= '' then
  rank(inbox, chat, time, lost and place() == lost)
  -- It may have changed nothing, and then replicas may lack the touch that did: WAIT waits for the connection's last write.
  if replicas > 0 then
    redis.call('ZADD', inbox, 'INCR', 1, chat)
    redis.call('ZADD', inbox, 'INCR', -1, chat)
  end
end
ring(feed, chat)
return { place() }
