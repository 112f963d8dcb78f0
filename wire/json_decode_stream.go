package wire

import "math"

func (d *serverDecoder) publication(outer *object) (b Publication) {
	for o := d.enter(outer); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.text(&o, MaxChannelBytes)
		case "off":
			b.Offset = uint64(d.integer(&o, 0, math.MaxInt64))
		case "pos":
			b.Position = d.text(&o, MaxPositionBytes)
		case "time":
			b.UnixMS = d.integer(&o, -math.MaxInt64, math.MaxInt64)
		case "user":
			b.User = d.text(&o, MaxServerFrameBytes)
		case "key":
			b.Key = d.text(&o, MaxMapKeyBytes)
		case "gone":
			b.Gone = d.flag(&o)
		default:
			if !d.message(&o, &b.Message) {
				d.unknown(&o)
			}
		}
	}
	if b.Gone {
		b.Message = Message{}
	}
	b.Data.fill()
	return b
}

func (d *serverDecoder) page(frame *object) (b Page) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.text(&o, MaxChannelBytes)
		case "pubs":
			b.Publications = d.publications(&o)
		case "pos":
			b.Position = d.text(&o, MaxPositionBytes)
		case "complete":
			b.Complete = d.flag(&o)
		case "more":
			b.More = d.flag(&o)
		case "keys":
			b.Keys = int(d.integer(&o, 0, math.MaxInt))
		default:
			d.unknown(&o)
		}
	}
	for i := range b.Publications {
		b.Publications[i].Channel = b.Channel
	}
	return b
}

// publications reads the list of publications that is o's member.
func (d *serverDecoder) publications(o *object) (pubs []Publication) {
	if d.peek() != '[' {
		d.rejectType(o, "an array")
		return nil
	}
	for d.open(']'); d.more(); {
		if d.fault != nil {
			d.skip()
			continue
		}
		if len(pubs) == MaxPageLimit {
			d.reject(o, CodeTooLarge, "are more than %d", MaxPageLimit)
		}
		pubs = append(pubs, d.publication(o))
	}
	return pubs
}

func (d *serverDecoder) reset(frame *object) (b Reset) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.text(&o, MaxChannelBytes)
		case "pos":
			b.Position = d.text(&o, MaxPositionBytes)
		case "why":
			b.Why = ResetReason(d.text(&o, MaxServerFrameBytes))
		default:
			d.unknown(&o)
		}
	}
	return b
}

func (d *serverDecoder) missed(frame *object) (b Missed) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.text(&o, MaxChannelBytes)
		case "count":
			b.Count = uint64(d.integer(&o, 0, math.MaxInt64))
		case "pos":
			b.Position = d.text(&o, MaxPositionBytes)
		default:
			d.unknown(&o)
		}
	}
	return b
}

func (d *serverDecoder) moved(frame *object) (b Moved) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.text(&o, MaxChannelBytes)
		case "pos":
			b.Position = d.text(&o, MaxPositionBytes)
		default:
			d.unknown(&o)
		}
	}
	return b
}
