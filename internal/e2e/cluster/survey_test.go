package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/engine/redis"
	"github.com/earshot/earshot/internal/testkit"
)

// asker is a node in the test's process, which asks the others.
type asker struct{ *redis.Engine }

// Told implements engine.NodeHandler.
func (asker) Told(string, []byte) {}

// Asked implements engine.NodeHandler.
func (asker) Asked(context.Context, string, []byte) []byte { return []byte("{}") }

// Renewed implements engine.NodeHandler.
func (asker) Renewed(engine.Node) {}

func startAsker(t *testing.T, url string) asker {
	t.Helper()
	e, err := redis.Open(t.Context(), redis.Options{URL: url, Name: "asker", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	a := asker{e}
	e.Serve(a)
	crew := newCrew(t)
	crew.do(func(ctx context.Context) error { return e.Run(ctx, nil) })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Errorf("close the asker: %v", err)
		}
	})
	return a
}

// ids returns the nodes' ids, in the order of their start.
func (a asker) ids(t *testing.T) (ids []string) {
	t.Helper()
	list, err := a.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range list {
		ids = append(ids, n.ID)
	}
	return ids
}

// survey asks all nodes who has a session, and returns who answered and who did not, and how long it took.
func (a asker) survey(t *testing.T, patience time.Duration) (answered, missing []string, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	began := time.Now()
	got, err := a.Survey(ctx, []byte(`{"Session":"nobody"}`))
	if err != nil {
		t.Fatal(err)
	}
	for id := range got.Answers {
		answered = append(answered, id)
	}
	for _, n := range got.Missing {
		missing = append(missing, n.ID)
	}
	return answered, missing, time.Since(began)
}

// A survey of which a node does not answer ends with its deadline, and names that node; once the node's lease has ended, nobody
// waits for it any more, and when it is back it answers.
func TestSurveyNamesWhoIsMissing(t *testing.T) {
	t.Parallel()
	const limit = time.Second
	run, f := testkit.Begin("Survey"), startFleet(t)
	a := startAsker(t, f.redis.url())
	ids := a.ids(t)
	if len(ids) != nodeCount+1 {
		t.Fatalf("there are the nodes %v", ids)
	}
	if answered, missing, _ := a.survey(t, busyMachine); len(answered) != len(ids) || len(missing) != 0 {
		t.Fatalf("%v answered, %v did not", answered, missing)
	}
	f.nodes[1].pause()
	answered, missing, took := a.survey(t, limit)
	if len(answered) != len(ids)-1 || !slices.Equal(missing, ids[1:2]) || took < limit || took > limit+busyMachine {
		t.Errorf("after %v %v answered, %v did not, want %s missing", took, answered, missing, ids[1])
	}
	testkit.Eventually(t, "the stopped node's lease ends", func() bool { return len(a.ids(t)) == len(ids)-1 })
	if answered, missing, _ := a.survey(t, busyMachine); len(answered) != len(ids)-1 || len(missing) != 0 {
		t.Errorf("without the stopped node %v answered, %v did not", answered, missing)
	}
	f.nodes[1].resume()
	testkit.Eventually(t, "the node is back, as another run", func() bool { return len(a.ids(t)) == len(ids) })
	testkit.Eventually(t, "all answer", func() bool {
		answered, _, _ := a.survey(t, limit)
		return len(answered) == len(ids)
	})
	if slices.Contains(a.ids(t), ids[1]) {
		t.Error("the run whose lease had ended is back")
	}
	run.Counted = fmt.Sprintf("%d nodes asked, the stopped one named after %.1f s", len(ids), took.Seconds())
	run.End(t)
}
