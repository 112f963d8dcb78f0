package redis

import (
	"embed"

	"github.com/redis/rueidis"
)

// The scripts run in Redis, each on keys of one slot. lib.lua comes before those of channels, maplib.lua, too, before
// those of maps.
//
//go:embed scripts/*.lua
var sources embed.FS

var (
	publishScript = rueidis.NewLuaScript(source("", "lib", "publish"))
	openScript    = rueidis.NewLuaScript(source("", "lib", "open"))
	trimScript    = rueidis.NewLuaScript(source("allow-oom", "lib", "trim")) // it makes room
	fenceScript   = rueidis.NewLuaScript(source("allow-oom", "lib", "fence"))
	readScript    = rueidis.NewLuaScriptReadOnly(source("no-writes", "lib", "read"))

	changeScript   = rueidis.NewLuaScript(source("", "lib", "maplib", "change"))
	mapFenceScript = rueidis.NewLuaScript(source("allow-oom", "lib", "maplib", "mapfence"))
	mapReadScript  = rueidis.NewLuaScriptReadOnly(source("no-writes", "lib", "maplib", "mapread"))
	mapKeyScript   = rueidis.NewLuaScriptReadOnly(source("no-writes", "lib", "maplib", "mapkey"))
	mapDueScript   = rueidis.NewLuaScriptReadOnly(source("no-writes", "lib", "maplib", "mapdue"))

	scheduleScript   = rueidis.NewLuaScript(source("", "lib", "schedule"))
	rescheduleScript = rueidis.NewLuaScript(source("allow-oom", "lib", "reschedule"))
	scheduledScript  = rueidis.NewLuaScriptReadOnly(source("no-writes", "lib", "scheduled"))

	beatScript   = rueidis.NewLuaScript(source("allow-oom", "beat"))
	lockScript   = rueidis.NewLuaScript(source("allow-oom", "lock"))
	leasesScript = rueidis.NewLuaScriptReadOnly(source("no-writes", "leases"))
)

// source returns a whole script. Without flags, Redis refuses it before it has written anything when its memory is full.
func source(flags string, files ...string) string {
	script := "#!lua flags=" + flags + "\n"
	for _, file := range files {
		text, err := sources.ReadFile("scripts/" + file + ".lua")
		if err != nil {
			panic(err) // a file that is not in this package
		}
		script += string(text)
	}
	return script
}
