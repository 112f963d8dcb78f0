package wire

import (
	"errors"
	"math"
	"time"
)

// ErrUnknownFrame is returned by DecodeServerFrame for a frame of a kind that the codec does not know. It comes from a
// newer server and is to be ignored.
var ErrUnknownFrame = errors.New("unknown kind of frame")

const (
	maxServerDepth = MaxDataDepth + 4 // data in a publication in the list in a page in its frame
	maxCode        = math.MaxUint16
	maxDuration    = math.MaxInt64 * time.Nanosecond
)

// DecodeServerFrame implements Codec.
func (jsonCodec) DecodeServerFrame(frame []byte) (ServerFrame, error) {
	if len(frame) > MaxServerFrameBytes {
		return ServerFrame{}, Errorf(CodeTooLarge, "a server's frame is at most %d bytes", MaxServerFrameBytes)
	}
	d := serverDecoder{decoder{scanner: newScanner(frame, maxServerDepth)}}
	f := d.frame()
	if err := d.result(); err != nil {
		return ServerFrame{ID: f.ID}, err
	}
	if f.Body == nil {
		return f, ErrUnknownFrame
	}
	return f, nil
}

// serverDecoder reads one frame of a server.
type serverDecoder struct{ decoder }

func (d *serverDecoder) frame() (f ServerFrame) {
	for o := d.document(); d.next(&o); {
		switch {
		case string(o.name) == "id":
			f.ID = uint64(d.integer(&o, 1, MaxID))
		case d.fault != nil:
			d.skip()
		default:
			d.member(&o, &f)
		}
	}
	d.end()
	return f
}

// member reads o's member into f if it is a body of a known kind.
func (d *serverDecoder) member(o *object, f *ServerFrame) {
	body := d.body(o)
	d.kind = nil
	if body == nil {
		return
	}
	if f.Body != nil {
		d.reject(o, CodeBadFrame, "is one kind too many")
	}
	f.Body = body
}

// body reads the body that is o's member, whose name is its kind. It returns nil if that is unknown.
func (d *serverDecoder) body(o *object) ServerBody {
	switch string(o.name) {
	case "pub":
		return d.publication(o)
	case "published":
		return d.published(o)
	case "welcome":
		return d.welcome(o)
	case "subscribed":
		return d.subscribed(o)
	case "unsubscribed":
		return d.unsubscribed(o)
	case "page":
		return d.page(o)
	case "result":
		return d.returned(o)
	case "refreshed":
		return d.refreshed(o)
	case "error":
		return d.failure(o)
	case "reset":
		return d.reset(o)
	case "missed":
		return d.missed(o)
	case "moved":
		return d.moved(o)
	case "synced":
		return Synced(d.moved(o))
	case "call":
		return d.invocation(o)
	case "ping":
		d.empty(o)
		return Ping{}
	case "pong":
		d.empty(o)
		return Pong{}
	case "bye":
		return d.bye(o)
	}
	d.unknown(o)
	return nil
}

func (d *serverDecoder) welcome(frame *object) (b Welcome) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "session":
			b.Session = d.text(&o, MaxServerFrameBytes)
		case "resume":
			b.Resume = d.text(&o, MaxServerFrameBytes)
		case "user":
			b.User = d.text(&o, MaxServerFrameBytes)
		case "resumed":
			b.Resumed = d.flag(&o)
		case "heartbeat_ms":
			b.Heartbeat = d.milliseconds(&o, maxDuration)
		case "expires_ms":
			b.Expires = d.milliseconds(&o, maxDuration)
		default:
			d.unknown(&o)
		}
	}
	return b
}

func (d *serverDecoder) refreshed(frame *object) (b Refreshed) {
	for o := d.enter(frame); d.next(&o); {
		if string(o.name) == "expires_ms" {
			b.Expires = d.milliseconds(&o, maxDuration)
		} else {
			d.unknown(&o)
		}
	}
	return b
}

func (d *serverDecoder) subscribed(frame *object) (b Subscribed) {
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

func (d *serverDecoder) unsubscribed(frame *object) (b Unsubscribed) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.text(&o, MaxChannelBytes)
		case "code":
			b.Code = Code(d.integer(&o, 0, maxCode))
		case "reason":
			b.Reason = d.text(&o, MaxServerFrameBytes)
		default:
			d.unknown(&o) // the name too: it is that of the code
		}
	}
	return b
}

func (d *serverDecoder) published(frame *object) (b Published) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "ch":
			b.Channel = d.text(&o, MaxChannelBytes)
		case "pos":
			b.Position = d.text(&o, MaxPositionBytes)
		case "off":
			b.Offset = uint64(d.integer(&o, 0, math.MaxInt64))
		case "dup":
			b.Duplicate = d.flag(&o)
		case "durability":
			b.Durability = d.text(&o, MaxServerFrameBytes)
		default:
			d.unknown(&o)
		}
	}
	return b
}

func (d *serverDecoder) failure(frame *object) (b Error) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "code":
			b.Code = Code(d.integer(&o, 0, maxCode))
		case "reason":
			b.Reason = d.text(&o, MaxServerFrameBytes)
		case "retry_ms":
			b.RetryAfter = d.milliseconds(&o, maxDuration)
		default:
			d.unknown(&o)
		}
	}
	return b
}

func (d *serverDecoder) bye(frame *object) (b Bye) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "code":
			b.Code = Code(d.integer(&o, 0, maxCode))
		case "reason":
			b.Reason = d.text(&o, MaxServerFrameBytes)
		case "delay_ms":
			b.Delay = d.milliseconds(&o, maxDuration)
		default:
			d.unknown(&o)
		}
	}
	return b
}
