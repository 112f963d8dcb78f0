//go:build linux

package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/earshot/earshot/internal/bench/process"
)

// pair is one measurement of each side.
type pair struct {
	subject, baseline figures // baseline is nil if there is none
}

// Report is what a bench found.
type Report struct {
	name     string
	command  string
	when     time.Time
	machine  process.Machine
	pairs    []pair
	subject  string
	baseline string // what it was compared with; empty for nothing
}

func newReport(name string, subject, baseline *side) *Report {
	r := &Report{
		name: name, command: "earshot " + strings.Join(os.Args[1:], " "), when: time.Now().UTC(),
		machine: process.ThisMachine(), subject: subject.name,
	}
	if baseline != nil {
		r.baseline = baseline.name
	}
	return r
}

// subjects and baselines return one side's figures.
func (r *Report) subjects() (all []figures) {
	for _, p := range r.pairs {
		all = append(all, p.subject)
	}
	return all
}

func (r *Report) baselines() (all []figures) {
	for _, p := range r.pairs {
		all = append(all, p.baseline)
	}
	return all
}

// ratio returns the median of the pairs' ratios.
func (r *Report) ratio() figures {
	var all []figures
	for _, p := range r.pairs {
		all = append(all, p.subject.ratios(p.baseline))
	}
	return median(all)
}

// MarshalJSON writes the medians with what is needed to judge them.
func (r *Report) MarshalJSON() ([]byte, error) {
	object := map[string]any{
		"bench": r.name, "command": r.command, "time": r.when.Format(time.RFC3339),
		"machine": r.machine, "server": r.subject, "runs": len(r.pairs),
	}
	maps.Copy(object, withNulls(median(r.subjects()).nested()))
	object["baseline"] = nil
	if r.baseline != "" {
		baseline := withNulls(median(r.baselines()).nested())
		baseline["server"], baseline["ratio"] = r.baseline, r.ratio().nested()
		object["baseline"] = baseline
	}
	if len(r.pairs) > 1 {
		object["pairs"] = r.nestedPairs()
	}
	return json.Marshal(object)
}

// alwaysThere are the keys that every report has; null stands for what a bench does not measure.
var alwaysThere = []metric{
	connections, rssPerConnection, cpuPercentIdle, deliveries, deliveriesRate, cpuPerMillion, latency, errorCount,
}

func withNulls(object map[string]any) map[string]any {
	for _, key := range alwaysThere {
		if _, ok := object[string(key)]; !ok {
			object[string(key)] = nil
		}
	}
	return object
}

func (r *Report) nestedPairs() (all []map[string]any) {
	for _, p := range r.pairs {
		both := map[string]any{"server": p.subject.nested()}
		if p.baseline != nil {
			both["baseline"] = p.baseline.nested()
		}
		all = append(all, both)
	}
	return all
}

// write prints the report, as JSON or for people.
func (r *Report) write(w io.Writer, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(w).Encode(r); err != nil {
			return fmt.Errorf("print the report: %w", err)
		}
		return nil
	}
	if err := r.writeTable(w); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}

func (r *Report) writeTable(w io.Writer) error {
	m := r.machine
	fmt.Fprintf(w, "%s\n%s, %d cores of %s, %.0f GB, %s, %s, load %.1f\n", r.command, r.when.Format(time.DateTime),
		m.Cores, m.CPU, float64(m.MemoryBytes)/(1<<30), m.Kernel, m.Go, m.Load)
	if n := len(r.pairs); n > 1 {
		fmt.Fprintf(w, "medians of %d runs\n", n)
	}
	_, err := fmt.Fprintf(w, "\n%s", align(r.rows()))
	return err
}

// rows are the table's cells, with a head if there is a baseline.
func (r *Report) rows() (rows [][]string) {
	mine := median(r.subjects())
	if r.baseline == "" {
		for _, d := range shown(mine) {
			rows = append(rows, []string{d.label, d.text(mine)})
		}
		return rows
	}
	theirs, ratio := median(r.baselines()), r.ratio()
	rows = append(rows, []string{"", r.subject, r.baseline, "ratio"})
	for _, d := range shown(mine, theirs) {
		rows = append(rows, []string{d.label, d.text(mine), d.text(theirs), ratioText(ratio, d.metric)})
	}
	return rows
}

// align writes rows in columns: the first to the left, the others to the right.
func align(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		line := fmt.Sprintf("%-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			line += fmt.Sprintf("   %*s", widths[i+1], cell)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// shown returns the metrics that one of all has.
func shown(all ...figures) []description {
	return slices.DeleteFunc(slices.Clone(descriptions), func(d description) bool {
		return !slices.ContainsFunc(all, func(f figures) bool { _, ok := f[d.metric]; return ok })
	})
}

// text returns the figure for people: with thousands separated.
func (d description) text(f figures) string {
	v, ok := f[d.metric]
	if !ok {
		return "-"
	}
	whole, fraction, _ := strings.Cut(fmt.Sprintf("%.*f", d.decimal, v), ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

func ratioText(f figures, name metric) string {
	if v, ok := f[name]; ok {
		return fmt.Sprintf("%.2f", v)
	}
	return ""
}
