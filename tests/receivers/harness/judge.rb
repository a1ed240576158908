# Asks the Ruby snippet: a line per question in, a line per answer out (languages.py has the form).
require_relative "verify"

def judged(line)
  _, now, *tokens = line.split
  secret, body, *pairs = tokens.map { |token| token.delete("-").unpack1("m0") }
  clock = now == "-" ? [] : [now.to_i]
  verify(secret.force_encoding("UTF-8"), pairs.each_slice(2).to_h, body, *clock)
rescue StandardError => error
  "#{error.class}: #{error.message}"
end

$stdin.each_line { |line| puts judged(line) }
