package testkit

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/earshot/earshot/internal/checker"
)

// Soaking reports whether tests should run for minutes rather than seconds: see make soak.
func Soaking() bool { return os.Getenv("EARSHOT_SOAK") != "" }

// Scale returns the size for a run of the tests, or that for a soak.
func Scale[T any](run, soak T) T {
	if Soaking() {
		return soak
	}
	return run
}

// Run is what one test did and counted: a row of the table that make soak prints.
type Run struct {
	Fault   string // the row of the list of faults, such as "D1"
	Totals  checker.Totals
	Counted string // what else was counted
	began   time.Time
}

// Begin starts a row.
func Begin(fault string) *Run { return &Run{Fault: fault, began: time.Now()} }

// End logs the row, and adds it to the file that EARSHOT_SOAK_TABLE names, if it does.
func (r *Run) End(t *testing.T) {
	t.Helper()
	row := r.row(t)
	t.Log(row)
	name := os.Getenv("EARSHOT_SOAK_TABLE")
	if name == "" {
		return
	}
	// Tests of several packages append at once, each a line in one write.
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(row + "\n"); err != nil {
		t.Fatal(err)
	}
}

// row is fault, test, seconds, messages, deliveries, retried, resets, lost, repeated, what else was counted, and the outcome.
func (r *Run) row(t *testing.T) string {
	outcome := "pass"
	if t.Failed() {
		outcome = "FAIL"
	}
	b := r.Totals.Breaches
	return fmt.Sprintf("| %s | %s | %.0f | %d | %d | %d | %s | %d | %d | %s | %s |",
		r.Fault, t.Name(), time.Since(r.began).Seconds(), r.Totals.Messages, r.Totals.Deliveries, r.Totals.Retried, r.resets(),
		b[checker.Gap]+b[checker.Lost]+b[checker.Silent], b[checker.Repeat]+b[checker.Twice], r.Counted, outcome)
}

func (r *Run) resets() string {
	if r.Totals.AllResets() == 0 {
		return "0"
	}
	var each []string
	for why, n := range r.Totals.Resets {
		each = append(each, fmt.Sprintf("%d %s", n, why))
	}
	return strings.Join(each, ", ")
}
