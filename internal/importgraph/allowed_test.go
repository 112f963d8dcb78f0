package importgraph

// allowed is the whole import graph: for each package, what its program code may import besides the standard library.
// Paths are relative to the module, "." is its root; other modules are named by their path. Tests may import more.
//
// A new package needs a line here, and a new edge an entry: that is the moment to ask whether it points the right way,
//
//	cmd -> root -> transport -> session -> hub -> engine ;  everything -> wire
//
// and whether the part that is wanted should rather move down.
var allowed = map[string][]string{
	// The vocabulary: no I/O, nothing of ours above it.
	"wire":   {},
	"engine": {"wire"},

	"engine/internal/packed": {},
	"engine/enginetest":      {"wire", "engine"},
	"engine/local":           {"wire", "engine", "engine/internal/packed", "github.com/cockroachdb/pebble/v2"},
	"engine/redis":           {"wire", "engine", "engine/internal/packed", "github.com/redis/rueidis"},

	// Who a client is.
	"internal/auth": {"wire", "github.com/go-jose/go-jose/v4"},

	// From the clients' side down to the engine.
	"internal/websocket": {"wire", "github.com/klauspost/compress"},
	"internal/hub":       {"wire", "engine"},
	"internal/session":   {"wire", "engine", "internal/auth", "internal/hub"},
	"internal/transport": {"wire", "engine", "internal/hub", "internal/session", "internal/websocket"},

	// The library wires them; the program is one user of the library.
	".": {"wire", "engine", "engine/local", "engine/redis", "internal/auth", "internal/hub", "internal/session", "internal/transport", "internal/websocket"},

	"client":          {"wire", "github.com/coder/websocket"},
	"internal/config": {"internal/auth", "github.com/goccy/go-yaml"},
	"internal/chat":   {},
	// The bench is a user of the library, of its Go client and of its program. Its load knows only what goes over the wire.
	"internal/bench/process":  {"golang.org/x/sys"},
	"internal/bench/bare":     {"golang.org/x/sys"},
	"internal/bench/inmemory": {},
	"internal/bench/crowd": {
		"internal/bench/process", "golang.org/x/sys", "github.com/goccy/go-yaml", "github.com/HdrHistogram/hdrhistogram-go",
	},
	"internal/bench": {
		".", "wire", "engine", "client", "internal/bench/process", "internal/bench/bare", "internal/bench/crowd",
		"internal/bench/inmemory", "github.com/redis/rueidis",
	},
	"cmd/earshot": {
		".", "wire", "engine", "client", "internal/auth", "internal/config", "internal/chat",
		"internal/bench", "internal/bench/bare", "internal/bench/crowd",
		"github.com/alecthomas/kong", "github.com/KimMachineGun/automemlimit", "golang.org/x/time",
	},

	// For tests only: no other line names them.
	"internal/e2e":         {},
	"internal/e2e/cluster": {},
	"internal/e2e/proxies": {},
	"internal/checker":     {"wire", "engine", "client"},
	"internal/testkit":     {".", "wire", "engine", "engine/local", "client", "internal/checker", "internal/config", "github.com/coder/websocket"},
}

// vagueNames are no names for a package: they say nothing of what it is for.
var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "manager", "misc", "shared", "base"}
