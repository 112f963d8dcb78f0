package proxies

import (
	"os"
	"strings"
	"testing"
)

// page is where an operator finds the settings of proxies.
const page = "../../../docs/operations/proxies.md"

// snippet returns the settings that the page has for a proxy, with other addresses.
func snippet(t *testing.T, language, listen, server string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```"+language+"\n")
	code, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatalf("%s has no snippet in %s", page, language)
	}
	return addressed(t, code, listen, server)
}

// addressed returns settings with the addresses of a test in place of those that the page has.
func addressed(t *testing.T, code, listen, server string) string {
	t.Helper()
	if !strings.Contains(code, "127.0.0.1:8000") {
		t.Fatalf("no server is named in %s", code)
	}
	port := listen[strings.LastIndex(listen, ":")+1:]
	return strings.NewReplacer(
		"127.0.0.1:8000", server,
		"listen 80;", "listen "+listen+";",
		"bind :80", "bind "+listen,
		"<VirtualHost *:80>", "Listen "+listen+"\n<VirtualHost *:"+port+">",
		":80 {", ":"+port+" {\n\tbind 127.0.0.1",
	).Replace(code)
}
