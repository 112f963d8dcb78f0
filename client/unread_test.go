package client_test

import (
	"fmt"
	"testing"

	"github.com/earshot/earshot/client"
)

// at is a place in a life of a log.
func at(life string, offset uint64) client.Place {
	return client.Place{Offset: offset, Position: fmt.Sprint(life, offset)}
}

func said(user, life string, from, to uint64) (pubs []client.Event) {
	for offset := from; offset <= to; offset++ {
		p := at(life, offset)
		pubs = append(pubs, client.Publication{Offset: p.Offset, Position: p.Position, User: user})
	}
	return pubs
}

func TestUnread(t *testing.T) {
	const limit = 5
	reads := func(user, life string, offset uint64) client.CursorMove {
		return client.CursorMove{User: user, Place: at(life, offset)}
	}
	for name, tc := range map[string]struct {
		since client.Place
		told  []any // events of the log, and moves
		want  int
		more  bool
	}{
		"nothing":                           {want: 0},
		"nothing was ever read":             {told: []any{said("ben", "a", 1, 3)}, want: 3},
		"what the user said does not count": {told: []any{said("ben", "a", 1, 3), said("ann", "a", 4, 5)}, want: 3},
		"read up to one":                    {told: []any{said("ben", "a", 1, 5), reads("ann", "a", 3)}, want: 2},
		"read by somebody else":             {told: []any{said("ben", "a", 1, 5), reads("cid", "a", 3)}, want: 5},
		"read up to the end, and more came": {told: []any{said("ben", "a", 1, 3), reads("ann", "a", 3), said("ben", "a", 4, 4)}, want: 1},
		"one that was never subscribed to":  {told: []any{said("", "a", 1, 2), said("", "a", 3, 3)}, want: 3},
		"read before the newest":            {told: []any{said("ben", "a", 11, 15), reads("ann", "a", 3)}, want: 5, more: true},
		"more than is looked at":            {told: []any{said("ben", "a", 1, 9), reads("ann", "a", 2)}, want: 5, more: true},
		"more, but they are read":           {told: []any{said("ben", "a", 1, 5), reads("ann", "a", 5), said("ben", "a", 6, 10)}, want: 5},
		"followed from the cursor":          {since: at("a", 7), told: []any{reads("ann", "a", 7), said("ben", "a", 8, 9)}, want: 2},
		"the cursor is told after that":     {since: at("a", 7), told: []any{said("ben", "a", 8, 9), reads("ann", "a", 7)}, want: 2},
		"another device read further":       {since: at("a", 7), told: []any{said("ben", "a", 8, 9), reads("ann", "a", 8)}, want: 1},
		"another device is ahead":           {told: []any{said("ben", "a", 1, 2), reads("ann", "a", 3), said("ben", "a", 3, 4)}, want: 1},
		"and until it is known, it waits":   {told: []any{said("ben", "a", 1, 2), reads("ann", "a", 1), reads("ann", "a", 3)}, want: 1},
		"the log began anew":                {told: []any{said("ben", "a", 1, 4), reads("ann", "a", 4), client.Reset{}, said("ben", "b", 1, 3)}, want: 3},
		"a cursor of a log that is no more": {told: []any{client.Reset{}, said("ben", "b", 1, 3), reads("ann", "a", 2)}, want: 3},
		"a far one of one that is no more":  {told: []any{said("ben", "b", 1, 3), reads("ann", "a", 900)}, want: 3},
		"read in the new log":               {told: []any{reads("ann", "a", 4), client.Reset{}, said("ben", "b", 1, 3), reads("ann", "b", 2)}, want: 1},
	} {
		u := client.NewUnread("ann", tc.since, limit)
		for _, one := range tc.told {
			switch one := one.(type) {
			case []client.Event:
				for _, ev := range one {
					u.See(ev)
				}
			case client.Reset:
				u.See(one)
			case client.CursorMove:
				u.Move(one)
			}
		}
		if n, more := u.Count(); n != tc.want || more != tc.more {
			t.Errorf("%s: %d unread, more: %v; want %d, %v", name, n, more, tc.want, tc.more)
		}
	}
}
