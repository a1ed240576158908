// Asks the Java snippet: a line per question in, a line per answer out (languages.py has the form).

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

final class Judge {
    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(judged(line.split(" ")));
        }
    }

    private static String judged(String[] tokens) {
        Instant now = tokens[1].equals("-") ? Instant.now() : Instant.ofEpochSecond(Long.parseLong(tokens[1]));
        Map<String, String> headers = new HashMap<>();
        for (int at = 4; at < tokens.length; at += 2) headers.put(text(tokens[at]), text(tokens[at + 1]));
        try {
            return String.valueOf(Webhooks.verify(text(tokens[2]), headers::get, bytes(tokens[3]), now));
        } catch (Exception error) {
            return error.toString();
        }
    }

    private static byte[] bytes(String token) {
        return token.equals("-") ? new byte[0] : Base64.getDecoder().decode(token);
    }

    private static String text(String token) {
        return new String(bytes(token), StandardCharsets.UTF_8);
    }
}
