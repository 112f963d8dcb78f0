package config

import (
	"fmt"
	"strings"
)

// Kind says what a channel keeps.
type Kind uint8

// The kinds.
const (
	KindPub   Kind = iota // nothing
	KindLog               // an ordered, retained log
	KindMap               // the last value of each key
	KindInbox             // a log for each user
)

var kindNames = []string{"pub", "log", "map", "inbox"}

// String returns the name used in the file.
func (k Kind) String() string { return kindNames[k] }

// UnmarshalText reads what String writes.
func (k *Kind) UnmarshalText(text []byte) error { return parseName(k, kindNames, text) }

// Durability says what an acknowledged publication survives.
type Durability uint8

// The durabilities.
const (
	Fsync       Durability = iota // synced to disk before it was acknowledged
	MayLoseTail                   // not waited for: the newest may be lost with the process or the machine
)

var durabilityNames = []string{"fsync", "may-lose-tail"}

// String returns the name used in the file.
func (d Durability) String() string { return durabilityNames[d] }

// UnmarshalText reads what String writes.
func (d *Durability) UnmarshalText(text []byte) error { return parseName(d, durabilityNames, text) }

// Who says which clients a rule allows.
type Who uint8

// The clients that a rule may allow.
const (
	Nobody Who = iota
	Users      // clients with an identity
	Anyone     // anonymous clients too
	Owners     // the users that the channel belongs to
)

var whoNames = []string{"nobody", "users", "anyone", "owners"}

// String returns the name used in the file.
func (w Who) String() string { return whoNames[w] }

// UnmarshalText reads what String writes.
func (w *Who) UnmarshalText(text []byte) error { return parseName(w, whoNames, text) }

// parseName sets v to the index of text in names.
func parseName[T ~uint8](v *T, names []string, text []byte) error {
	for i, name := range names {
		if name == string(text) {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("%s is not one of %s", quote(string(text)), strings.Join(names, ", "))
}
