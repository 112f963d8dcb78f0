package enginetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

var historyTests = map[string]func(*testing.T, Suite){
	"every page of a whole log":   func(t *testing.T, s Suite) { everyPage(t, s, 0, false) },
	"every page of a trimmed log": func(t *testing.T, s Suite) { everyPage(t, s, 7, false) },
	"every page after a restart":  func(t *testing.T, s Suite) { everyPage(t, s, 7, true) },
	"pages end at their bytes":    pageBytes,
	"an empty log":                emptyLog,
	"retention by count":          retentionByCount,
	"retention by bytes":          retentionByBytes,
	"retention by age":            retentionByAge,
	"a long log":                  longLog,
	"the newest of large ones":    newestOfLarge,
}

// everyPage reads every page that there is, by limit, start and direction, and compares it with what it should hold.
func everyPage(t *testing.T, s Suite, keep int, restart bool) {
	const count = 12
	if restart && !s.Restarts {
		t.Skip("the engine keeps nothing")
	}
	n := start(t, s, always(log(keep)))
	at := n.fill("log:a", count)
	if restart {
		n.restart()
	}
	first := 1
	if keep > 0 {
		first = count - keep + 1
	}
	for limit := 1; limit <= count+2; limit++ {
		newest := n.page("log:a", engine.Query{Limit: limit})
		checkPage(t, newest, at, max(first, count-limit+1), count, count-limit+1 > first)
		for offset := range at {
			checkSince(t, n, at, first, offset, limit)
			checkBefore(t, n, at, first, offset, limit)
			checkLast(t, n, at, first, offset+1, limit)
		}
	}
}

// checkPage checks that a complete page holds the offsets from..to.
func checkPage(t *testing.T, page engine.Page, at []engine.Position, from, to int, more bool) {
	t.Helper()
	if !page.Complete || page.Evicted || page.More != more || page.Top != at[len(at)-1] {
		t.Fatalf("page %d..%d: complete %v, evicted %v, more %v, top %+v, want more %v, top %+v", from, to, page.Complete, page.Evicted, page.More, page.Top, more, at[len(at)-1])
	}
	var want []string
	for i := from; i <= to; i++ {
		want = append(want, fmt.Sprint(i))
	}
	if got := texts(page.Publications); !slices.Equal(got, want) {
		t.Fatalf("page holds %v, want %v", got, want)
	}
	for i, p := range page.Publications {
		if p.Position != at[from+i] || p.PrevTag != at[from+i-1].Tag {
			t.Fatalf("publication is %+v, want position %+v", p, at[from+i])
		}
	}
	if len(want) > 0 && (page.Start != at[from-1] || page.End != at[to]) {
		t.Fatalf("page goes from %+v to %+v, want %+v to %+v", page.Start, page.End, at[from-1], at[to])
	}
}

// checkLost checks that a page says that what it was asked for was dropped.
func checkLost(t *testing.T, page engine.Page, at []engine.Position) {
	t.Helper()
	if page.Complete || !page.Evicted || len(page.Publications) > 0 || page.Top != at[len(at)-1] {
		t.Fatalf("page is %+v, want one that says evicted", page)
	}
}

func checkSince(t *testing.T, n *node, at []engine.Position, first, offset, limit int) {
	t.Helper()
	count := len(at) - 1
	page := n.page("log:a", engine.Query{Since: &at[offset], Limit: limit})
	if offset+1 < first {
		checkLost(t, page, at)
		return
	}
	checkPage(t, page, at, offset+1, min(count, offset+limit), offset+limit < count)
	if offset == count && (page.Start != at[offset] || page.End != at[offset]) {
		t.Fatalf("empty page goes from %+v to %+v, want %+v", page.Start, page.End, at[offset])
	}
}

func checkBefore(t *testing.T, n *node, at []engine.Position, first, offset, limit int) {
	t.Helper()
	page := n.page("log:a", engine.Query{Before: &at[offset], Limit: limit})
	if offset <= first && first > 1 {
		checkLost(t, page, at)
		return
	}
	checkPage(t, page, at, max(first, offset-limit), offset-1, offset-limit > first)
}

func checkLast(t *testing.T, n *node, at []engine.Position, first, last, limit int) {
	t.Helper()
	count := len(at) - 1
	from := max(first, count-last+1)
	page := n.page("log:a", engine.Query{Last: last, Limit: limit})
	checkPage(t, page, at, from, min(count, from+limit-1), from+limit-1 < count)
}

func texts(pubs []*engine.Publication) (s []string) {
	for _, p := range pubs {
		s = append(s, text(p))
	}
	return s
}

func pageBytes(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	at := n.fill("log:a", 9)
	if s.Restarts {
		n.restart()
	}
	size := n.page("log:a", engine.Query{Limit: 1}).Publications[0].Size()
	tests := []struct{ bytes, want int }{{1, 1}, {size, 1}, {size + 1, 2}, {3 * size, 3}, {100 * size, 5}}
	for _, tt := range tests {
		page := n.page("log:a", engine.Query{Since: &at[2], Limit: 5, MaxBytes: tt.bytes})
		checkPage(t, page, at, 3, 2+tt.want, true)
		page = n.page("log:a", engine.Query{Before: &at[8], Limit: 5, MaxBytes: tt.bytes})
		checkPage(t, page, at, 8-tt.want, 7, true)
		page = n.page("log:a", engine.Query{Limit: 5, MaxBytes: tt.bytes})
		checkPage(t, page, at, 10-tt.want, 9, true)
	}
}

func emptyLog(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	page := n.page("log:a", engine.Query{Limit: 5})
	if !page.Complete || page.More || len(page.Publications) > 0 || page.Top.Epoch == 0 || page.Start != page.Top {
		t.Fatalf("page is %+v", page)
	}
	if s.Restarts {
		n.restart()
	}
	top := page.Top
	n.say("log:a", "1")
	page = n.page("log:a", engine.Query{Since: &top, Limit: 5})
	if !page.Complete || len(page.Publications) != 1 {
		t.Fatalf("page since the empty log is %+v", page)
	}
}

func retentionByCount(t *testing.T, s Suite) {
	n := start(t, s, always(log(3)))
	at := n.fill("log:a", 300)
	checkPage(t, n.page("log:a", engine.Query{Limit: 500}), at, 298, 300, false)
}

func retentionByBytes(t *testing.T, s Suite) {
	size := int64((&engine.Publication{Message: message("1000")}).Size())
	for _, keep := range []int64{1, 5, 400} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			n := start(t, s, always(engine.Rules{Kind: engine.KindLog, MaxBytes: keep*size + size - 1}))
			const count = 700
			n.subscribe("log:a")
			for i := range count {
				n.say("log:a", fmt.Sprint(1000+i))
			}
			page := n.page("log:a", engine.Query{Limit: 2000})
			if len(page.Publications) != int(keep) || page.Publications[keep-1].Offset != count || page.More {
				t.Fatalf("log holds %d publications, want %d", len(page.Publications), keep)
			}
		})
	}
}

func retentionByAge(t *testing.T, s Suite) {
	if !s.FollowsClock {
		t.Skip("the engine has its own clock")
	}
	n := start(t, s, always(engine.Rules{Kind: engine.KindLog, MaxAge: time.Minute}))
	const count = 600
	at := []engine.Position{n.top("log:a")}
	for i := range count {
		at = append(at, n.say("log:a", fmt.Sprint(i+1)))
		n.clock.pass(100 * time.Millisecond)
	}
	for _, passed := range []time.Duration{0, time.Second, 20 * time.Second, 38 * time.Second} {
		n.clock.pass(passed)
		age := n.clock.now().Add(-time.Minute).UnixMilli()
		page := n.page("log:a", engine.Query{Limit: 1000})
		for _, p := range page.Publications {
			if p.UnixMS < age {
				t.Fatalf("publication %d is too old", p.Offset)
			}
		}
		first := count - len(page.Publications) + 1
		if first > 1 {
			checkLost(t, n.page("log:a", engine.Query{Since: &at[first-2], Limit: 1}), at)
		}
		checkPage(t, n.page("log:a", engine.Query{Since: &at[first-1], Limit: 1}), at, first, first, first < count)
	}
	n.clock.pass(time.Hour)
	page := n.page("log:a", engine.Query{Since: &at[count], Limit: 10})
	if !page.Complete || len(page.Publications) > 0 || page.Top != at[count] {
		t.Fatalf("page at the top of an expired log is %+v", page)
	}
	if p := n.say("log:a", "again"); p.Offset != count+1 {
		t.Fatalf("offset after all expired is %d, want %d", p.Offset, count+1)
	}
	page = n.page("log:a", engine.Query{Limit: 10})
	if got := texts(page.Publications); !slices.Equal(got, []string{"again"}) || page.More {
		t.Fatalf("log holds %v, want the new one", got)
	}
}

func longLog(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	publishAll(n, "log:a", 4, 1000)
	read := n.readAll("log:a")
	checkChain(t, read)
	if len(read) != 4000 {
		t.Fatalf("read %d publications, want 4000", len(read))
	}
}

func newestOfLarge(t *testing.T, s Suite) {
	n := start(t, s, always(log(0)))
	large := engine.Proposal{Channel: "log:a", Message: message(string(make([]byte, 100<<10)))}
	for range 5 {
		if r := n.publish(large); r.err != nil {
			t.Fatal(r.err)
		}
	}
	page := n.page("log:a", engine.Query{Limit: 50, MaxBytes: 300 << 10})
	if len(page.Publications) == 0 || len(page.Publications) == 5 || page.Publications[len(page.Publications)-1].Offset != 5 {
		t.Fatalf("page holds %d publications", len(page.Publications))
	}
}
