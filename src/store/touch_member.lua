-- Touches a person's part of a chat in a Cluster, where it is in another slot than the chat: rings the feed, and puts the chat at its time in
-- the inbox. KEYS: the feed, the inbox. ARGV: the chat, and the time of its newest message ('' to only ring), and how many replicas
-- must have what this writes.
-- A touch may come late, after that of a later message, so the time only grows.
if ARGV[2] ~= '' then
  local inbox, chat = KEYS[2], ARGV[1]
  rank(inbox, chat, ARGV[2], false)
  -- It may have changed nothing, and then replicas may lack the touch that did: WAIT waits for the connection's last write.
  if tonumber(ARGV[3]) > 0 then
    redis.call('ZADD', inbox, 'INCR', 1, chat)
    redis.call('ZADD', inbox, 'INCR', -1, chat)
  end
end
ring(KEYS[1], ARGV[1])
return {}
