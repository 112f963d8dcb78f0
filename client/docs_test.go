package client_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocsShowExamples checks that the Go code in the docs is that of the examples, which are compiled and run.
func TestDocsShowExamples(t *testing.T) {
	for page, source := range map[string]string{
		"../docs/concepts/maps-and-presence.md": "example_map_test.go",
		"../docs/concepts/inbox.md":             "example_inbox_test.go",
	} {
		t.Run(source, func(t *testing.T) { checkBlocks(t, page, source) })
	}
}

func checkBlocks(t *testing.T, pageFile, sourceFile string) {
	page, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(sourceFile)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 3 {
		t.Fatalf("found %d blocks of Go", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(flat(string(source)), flat(block[1])) {
			t.Errorf("no example has\n%s", block[1])
		}
	}
}

// flat returns text without the white space at both ends of each line.
func flat(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}
