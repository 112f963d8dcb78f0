// Package proxies tests the server behind real reverse proxies, with the settings that docs/operations/proxies.md names and
// with their own.
package proxies
