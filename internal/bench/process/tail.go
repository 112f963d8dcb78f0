//go:build linux

package process

import "sync"

// maxTailBytes is how much of a child's standard error is kept.
const maxTailBytes = 4 << 10

// tail is a writer that keeps what came last. It may be used concurrently.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write keeps p and never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - maxTailBytes; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
