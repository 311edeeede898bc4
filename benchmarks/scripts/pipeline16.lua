-- Sixteen requests in one write; wrk counts the responses one by one.
init = function(args)
  batch = string.rep(wrk.format(), 16)
end

request = function()
  return batch
end
