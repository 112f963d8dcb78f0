package redis

import (
	"github.com/redis/rueidis"

	"github.com/earshot/earshot/engine"
)

// window is what was read of a log for a query: consecutive entries, of which the first is at from.
type window struct {
	meta
	query engine.Query
	from  uint64
}

func (w *window) backward() bool { return w.query.Since == nil && w.query.Last == 0 }

// read makes the page of the entries that the script returned.
func (w *window) read(values []rueidis.RedisMessage) (engine.Page, error) {
	pubs := make([]*engine.Publication, len(values))
	for i := range values {
		value, err := values[i].AsBytes()
		if err != nil {
			return engine.Page{}, err
		}
		pubs[i], err = decodeEntry(engine.Position{Epoch: w.top.Epoch, Offset: w.from + uint64(i)}, value)
		if err != nil {
			return engine.Page{}, err
		}
	}
	return w.page(pubs), nil
}

// page decides whether the entries join the position that the query names.
func (w *window) page(pubs []*engine.Publication) engine.Page {
	q, last := w.query, len(pubs)-1
	page := engine.Page{Start: w.top, End: w.top, Top: w.top, Complete: true}
	switch {
	case w.foreign(q.Since) || w.foreign(q.Before):
		page.Complete = false
		return page
	case w.evicted():
		page.Complete, page.Evicted = false, true
		return page
	case last < 0:
		return w.empty(page)
	case q.Since != nil && pubs[0].PrevTag != q.Since.Tag, q.Before != nil && pubs[last].Tag != q.Before.Tag:
		page.Complete = false
		return page
	case q.Before != nil && last == 0:
		return w.beforeOldest(page)
	case q.Before != nil:
		pubs = pubs[:last:last]
	}
	return w.fill(page, pubs)
}

// foreign reports whether p is not a position of the log, as far as that can be told without its entry.
func (w *window) foreign(p *engine.Position) bool {
	switch {
	case p == nil:
		return false
	case p.Epoch != w.top.Epoch || p.Offset > w.top.Offset:
		return true
	case p.Offset == w.top.Offset:
		return p.Tag != w.top.Tag
	}
	return p.Offset == 0 && p.Tag != 0
}

// evicted reports whether retention dropped what the named position needs.
func (w *window) evicted() bool {
	switch q := w.query; {
	case q.Since != nil:
		return q.Since.Offset+1 < w.first
	case q.Before != nil:
		return q.Before.Offset < w.first && w.first > 1
	}
	return false
}

// empty is the page of a window without entries.
func (w *window) empty(page engine.Page) engine.Page {
	if at := w.query.Since; at != nil {
		page.Start, page.End = *at, *at
	} else if at := w.query.Before; at != nil {
		page.Start, page.End = *at, *at
	}
	return page
}

// beforeOldest is the page before the oldest publication that there is.
func (w *window) beforeOldest(page engine.Page) engine.Page {
	if w.first > 1 {
		page.Complete, page.Evicted = false, true
		return page
	}
	page.Start = engine.Position{Epoch: page.Top.Epoch}
	page.End = page.Start
	return page
}

func (w *window) fill(page engine.Page, pubs []*engine.Publication) engine.Page {
	page.Publications = w.cut(pubs)
	oldest := page.Publications[0]
	page.Start = engine.Position{Epoch: oldest.Epoch, Offset: oldest.Offset - 1, Tag: oldest.PrevTag}
	page.End = page.Publications[len(page.Publications)-1].Position
	if w.backward() {
		page.More = oldest.Offset > w.first
	} else {
		page.More = page.End.Offset < w.top.Offset
	}
	return page
}

// cut ends the page where its bytes reach the limit.
func (w *window) cut(pubs []*engine.Publication) []*engine.Publication {
	size, maxBytes := 0, w.query.MaxBytes
	if maxBytes <= 0 {
		return pubs
	}
	for i := range pubs {
		if w.backward() {
			i = len(pubs) - 1 - i
		}
		size += pubs[i].Size()
		switch {
		case size < maxBytes:
		case w.backward():
			return pubs[i:]
		default:
			return pubs[: i+1 : i+1]
		}
	}
	return pubs
}
