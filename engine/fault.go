package engine

import (
	"fmt"
	"time"
)

// Fault is why an engine cannot commit, or cannot feed its node, and since when. It is an error that wraps ErrUnavailable
// or ErrDiskFull.
type Fault struct {
	Since time.Time
	Err   error
	Final bool // it stays until the process starts anew
}

// Error says what is wrong and since when.
func (f *Fault) Error() string {
	return fmt.Sprintf("since %s: %v", f.Since.UTC().Format(time.RFC3339), f.Err)
}

// Unwrap returns Err.
func (f *Fault) Unwrap() error { return f.Err }
