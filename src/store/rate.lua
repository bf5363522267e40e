-- The sender's rate: until when the messages sent so far count, in microseconds. Stands in front of the scripts that need it.

-- For how many microseconds they count from now on, and for how many by the stored value. If the clock was set back, they count for as
-- long as all of the quota does, and no longer.
local function counted(stored_end, clock, span)
  local by_stored = math.max(0, (tonumber(stored_end) or 0) - clock)
  return math.min(by_stored, span), by_stored
end
