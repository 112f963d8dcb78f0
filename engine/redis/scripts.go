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

	publishScript = writing(publishSource)
	openScript    = writing(openSource)
	trimScript    = writing(trimSource)
	fenceScript   = writing(fenceSource)
	readScript    = rueidis.NewLuaScriptReadOnly("#!lua flags=no-writes\n" + libSource + readSource)
)

// writing makes a script that Redis refuses as a whole, before it has written anything, when its memory is full.
func writing(source string) *rueidis.Lua {
	return rueidis.NewLuaScript("#!lua\n" + libSource + source)
}
