//go:build !unix

package main

// descriptorLimit returns zero: handles are not limited.
func descriptorLimit() int { return 0 }
