package wire

// DecodeClientFrame implements Codec.
func (jsonCodec) DecodeClientFrame(frame []byte) (ClientFrame, error) {
	if len(frame) > MaxFrameBytes {
		return ClientFrame{}, Errorf(CodeTooLarge, "a frame is at most %d bytes", MaxFrameBytes)
	}
	d := clientDecoder{decoder{scanner: newScanner(frame, MaxDepth), strict: true}}
	f := d.frame()
	if err := d.result(); err != nil {
		if _, ok := f.Body.(Result); ok {
			f.ID = 0 // it is one of the server's
		}
		return ClientFrame{ID: f.ID}, err
	}
	return f, nil
}

// clientDecoder reads one frame of a client.
type clientDecoder struct{ decoder }

func (d *clientDecoder) frame() (f ClientFrame) {
	for o := d.document(); d.next(&o); {
		switch {
		case string(o.name) == "id":
			f.ID = uint64(d.integer(&o, 1, MaxID))
		case f.Body != nil:
			d.reject(&o, CodeBadFrame, "is one kind too many")
			d.skip()
		default:
			f.Body = d.body(&o)
			d.kind = nil
		}
	}
	if d.end() && f.Body == nil {
		d.check(Errorf(CodeBadFrame, "the frame has no kind"))
	}
	if _, ok := f.Body.(Result); ok && f.ID == 0 {
		d.check(Errorf(CodeBadFrame, `"result" has no id to say what it answers`))
	}
	return f
}

// body reads the body that is o's member, whose name is its kind.
func (d *clientDecoder) body(o *object) ClientBody {
	switch string(o.name) {
	case "hello":
		return d.hello(o)
	case "sub":
		return d.subscribe(o)
	case "unsub":
		return d.unsubscribe(o)
	case "pub":
		return d.publish(o)
	case "history":
		return d.history(o)
	case "set":
		return d.set(o)
	case "del":
		return d.del(o)
	case "join":
		return d.joinPresence(o)
	case "leave":
		return d.leavePresence(o)
	case "call":
		return d.call(o)
	case "result":
		return d.callResult(o)
	case "refresh":
		return d.refresh(o)
	case "ping":
		d.empty(o)
		return Ping{}
	case "pong":
		d.empty(o)
		return Pong{}
	}
	d.unknown(o)
	return nil
}

func (d *clientDecoder) hello(frame *object) (b Hello) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "token":
			b.Token = d.text(&o, MaxTokenBytes)
		case "client":
			b.Client = d.text(&o, MaxClientBytes)
		case "sender":
			b.Sender = d.text(&o, MaxSecretBytes)
			if len(b.Sender) < MinSenderBytes && b.Sender != "" {
				d.reject(&o, CodeBadFrame, "is under %d bytes", MinSenderBytes)
			}
		case "resume":
			b.Resume = d.text(&o, MaxSecretBytes)
		case "heartbeat_ms":
			b.Heartbeat = d.milliseconds(&o, MaxHeartbeat)
			if b.Heartbeat < MinHeartbeat && b.Heartbeat != 0 {
				d.reject(&o, CodeBadFrame, "is under %d", MinHeartbeat.Milliseconds())
			}
		default:
			d.unknown(&o)
		}
	}
	return b
}

func (d *clientDecoder) subscribe(frame *object) (b Subscribe) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.channel(&o)
		case "since":
			b.Since = d.text(&o, MaxPositionBytes)
		case "last":
			b.Last = int(d.integer(&o, 0, MaxLast))
		case "echo":
			b.NoEcho = !d.flag(&o)
		case "every_ms":
			b.Every = d.milliseconds(&o, MaxEvery)
		default:
			d.unknown(&o)
		}
	}
	d.require("ch", b.Channel)
	return b
}

func (d *clientDecoder) unsubscribe(frame *object) (b Unsubscribe) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.channel(&o)
		default:
			d.unknown(&o)
		}
	}
	d.require("ch", b.Channel)
	return b
}

func (d *clientDecoder) publish(frame *object) (b Publish) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.channel(&o)
		case "idem":
			b.Idem = d.text(&o, MaxIdemBytes)
		default:
			if !d.message(&o, &b.Message) {
				d.unknown(&o)
			}
		}
	}
	d.require("ch", b.Channel)
	b.Data.fill()
	return b
}

func (d *clientDecoder) history(frame *object) (b History) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.channel(&o)
		case "since":
			b.Since = d.text(&o, MaxPositionBytes)
		case "before":
			b.Before = d.text(&o, MaxPositionBytes)
		case "limit":
			b.Limit = int(d.integer(&o, 0, MaxPageLimit))
		default:
			d.unknown(&o)
		}
	}
	d.require("ch", b.Channel)
	if b.Since != "" && b.Before != "" {
		d.check(Errorf(CodeBadFrame, `"history" names both "since" and "before"`))
	}
	return b
}

func (d *clientDecoder) refresh(frame *object) (b Refresh) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "token":
			b.Token = d.text(&o, MaxTokenBytes)
		default:
			d.unknown(&o)
		}
	}
	d.require("token", b.Token)
	return b
}

// require notes that the field of that name is missing if its value is empty.
func (d *clientDecoder) require(name, value string) {
	if value == "" && d.fault == nil {
		d.fault = Errorf(CodeBadFrame, `"%s.%s" is missing`, d.kind, name)
	}
}
