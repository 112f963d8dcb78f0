package redis

import (
	_ "embed" // the scripts

	"github.com/redis/rueidis"
)

// The scripts run in Redis, each on the keys of one channel. lib.lua comes before each of them.
var (
	//go:embed scripts/lib.lua
	libSource string
	//go:embed scripts/publish.lua
	publishSource string
	//go:embed scripts/read.lua
	readSource string
	//go:embed scripts/open.lua
	openSource string
	//go:embed scripts/trim.lua
	trimSource string
	//go:embed scripts/fence.lua
	fenceSource string

	publishScript = script("", publishSource)
	openScript    = script("", openSource)
	trimScript    = script("allow-oom", trimSource) // it makes room
	fenceScript   = script("allow-oom", fenceSource)
	readScript    = rueidis.NewLuaScriptReadOnly(source("no-writes", readSource))
)

func script(flags, main string) *rueidis.Lua { return rueidis.NewLuaScript(source(flags, main)) }

// source returns a whole script. Without flags, Redis refuses it before it has written anything when its memory is full.
func source(flags, main string) string { return "#!lua flags=" + flags + "\n" + libSource + main }
