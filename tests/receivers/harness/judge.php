<?php
// Asks the PHP snippet: a line per question in, a line per answer out (languages.py has the form).
require __DIR__ . '/verify.php';

function judged(string $line): string {
    $tokens = explode(' ', trim($line));
    $now = $tokens[1] === '-' ? null : (int) $tokens[1];
    [$secret, $body] = $pairs = array_map(fn ($token) => base64_decode(trim($token, '-')), array_slice($tokens, 2));
    $headers = [];
    for ($at = 2; $at < count($pairs); $at += 2) $headers[$pairs[$at]] = $pairs[$at + 1];
    try {
        return var_export(verify($secret, $headers, $body, $now), true);
    } catch (Throwable $error) {
        return get_class($error) . ': ' . $error->getMessage();
    }
}

while (($line = fgets(STDIN)) !== false) echo judged($line), "\n";
