// Asks the Node snippet: a line per question in, a line per answer out (languages.py has the form).
import { readFileSync } from "node:fs";
import * as snippet from "./verify.mjs";

function judged(line) {
  const [name, now, ...tokens] = line.split(" ");
  const [secret, body, ...pairs] = tokens.map((token) => Buffer.from(token.replace("-", ""), "base64"));
  const headers = {};
  for (let at = 0; at < pairs.length; at += 2) headers[pairs[at]] = String(pairs[at + 1]);
  try {
    return String(snippet[name](String(secret), headers, body, now === "-" ? undefined : Number(now)));
  } catch (error) {
    return String(error);
  }
}

for (const line of readFileSync(0, "utf8").trim().split("\n")) console.log(judged(line));
