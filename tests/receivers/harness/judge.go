// Asks the Go snippet: a line per question in, a line per answer out (languages.py has the form).
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

func text(token string) string {
	decoded, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(token, "-"))
	return string(decoded)
}

func judged(tokens []string) bool {
	now := time.Now()
	if seconds, err := strconv.ParseInt(tokens[1], 10, 64); err == nil {
		now = time.Unix(seconds, 0)
	}
	headers := map[string]string{}
	for at := 4; at < len(tokens); at += 2 {
		headers[text(tokens[at])] = text(tokens[at+1])
	}
	header := func(name string) string { return headers[name] }
	return Verify(text(tokens[2]), header, []byte(text(tokens[3])), now)
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return
		}
		fmt.Println(judged(strings.Fields(line)))
	}
}
