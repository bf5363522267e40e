-- Touches a person's part of a chat in a Cluster, where it is in another slot than the chat: rings the feed, and puts the chat at its time in
-- the inbox. KEYS: the feed, the inbox. ARGV: the chat, and the time of its newest message ('' to only ring).
-- A touch may come late, after that of a later message, so the time only grows.
if ARGV[2] ~= '' then must(rank(KEYS[2], ARGV[1], ARGV[2], false)) end
must(ring(KEYS[1], ARGV[1]))
return {}
