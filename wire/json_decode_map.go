package wire

func (d *clientDecoder) set(frame *object) (b Set) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.channel(&o)
		case "key":
			b.Key = d.mapKey(&o)
		case "if":
			b.If = d.version(&o)
		case "ttl_ms":
			b.TTL = d.milliseconds(&o, MaxTTL)
		case "own":
			b.Own = d.flag(&o)
		case "idem":
			b.Idem = d.text(&o, MaxIdemBytes)
		default:
			if !d.data(&o, &b.Data) {
				d.unknown(&o)
			}
		}
	}
	d.require("ch", b.Channel)
	d.require("key", b.Key)
	b.Data.fill()
	return b
}

func (d *clientDecoder) del(frame *object) (b Delete) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.channel(&o)
		case "key":
			b.Key = d.mapKey(&o)
		case "if":
			b.If = d.version(&o)
		case "idem":
			b.Idem = d.text(&o, MaxIdemBytes)
		default:
			d.unknown(&o)
		}
	}
	d.require("ch", b.Channel)
	d.require("key", b.Key)
	return b
}

func (d *clientDecoder) joinPresence(frame *object) (b Join) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.presenceChannel(&o)
		default:
			if !d.data(&o, &b.Data) {
				d.unknown(&o)
			}
		}
	}
	d.require("ch", b.Channel)
	b.Data.fill()
	return b
}

func (d *clientDecoder) leavePresence(frame *object) (b Leave) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.presenceChannel(&o)
		default:
			d.unknown(&o)
		}
	}
	d.require("ch", b.Channel)
	return b
}

// presenceChannel reads the name of a channel with presence that is o's member.
func (d *clientDecoder) presenceChannel(o *object) string {
	channel := d.channel(o)
	if len(channel) > MaxPresenceBytes {
		d.check(Errorf(CodeBadChannel, "the name of a channel with presence is at most %d bytes", MaxPresenceBytes))
	}
	return channel
}
