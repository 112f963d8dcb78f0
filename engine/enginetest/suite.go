// Package enginetest is the contract that every engine passes: engine/local and those that follow run it in their tests.
package enginetest

import (
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

// Suite says how to get at the engine under test.
type Suite struct {
	// Open returns an engine that is not running yet, on data of its own that is empty when the test begins. Called
	// again in the same test with the same Env, it opens what the engine before, closed meanwhile, left.
	Open func(t *testing.T, env *Env) engine.Engine
	// Restarts says that what was committed is there again after Close and Open.
	Restarts bool
	// FollowsClock says that the engine takes the time from Env.Now, so that the suite can let windows and ages pass.
	FollowsClock bool
	// Maps says that the engine has channels of engine.KindMap.
	Maps bool
	// Empty has the engine that was opened with the environment lose all that it keeps, while it runs. Nil: it can't.
	Empty func(t *testing.T, env *Env)
	// Durability is what the receipt of a log's publication names under the zero value of engine.Rules.
	Durability engine.Durability
}

// Env is what an engine is opened with.
type Env struct {
	Rules func(channel string) engine.Rules
	Now   func() time.Time
}

// Run tests the engine against the whole contract.
func Run(t *testing.T, s Suite) {
	groups := []struct {
		name  string
		tests map[string]func(*testing.T, Suite)
	}{
		{"publish", publishTests},
		{"history", historyTests},
		{"resume", resumeTests},
		{"keys", keyTests},
		{"feed", feedTests},
		{"live", liveTests},
		{"trim", trimTests},
		{"maps", mapTests},
		{"lifecycle", lifecycleTests},
		{"emptied", emptiedTests},
	}
	for _, g := range groups {
		if g.name == "maps" && !s.Maps || g.name == "emptied" && s.Empty == nil {
			continue
		}
		t.Run(g.name, func(t *testing.T) {
			for name, test := range g.tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, s)
				})
			}
		})
	}
}

// log returns the rules of a log that keeps the newest n publications; zero: all.
func log(n int) engine.Rules { return engine.Rules{Kind: engine.KindLog, MaxPublications: n} }

// always returns rules that are the same for every channel.
func always(r engine.Rules) func(string) engine.Rules {
	return func(string) engine.Rules { return r }
}
