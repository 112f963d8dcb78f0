package wire

import "fmt"

// AppendClientFrame implements Codec.
func (jsonCodec) AppendClientFrame(dst []byte, f ClientFrame) []byte {
	dst = openFrame(dst, f.ID)
	switch b := f.Body.(type) {
	case Hello:
		dst = appendHello(dst, &b)
	case Subscribe:
		dst = appendSubscribe(dst, &b)
	case Unsubscribe:
		dst = append(dst, `"unsub":{`...)
		dst = appendText(dst, "ch", b.Channel)
	case Publish:
		dst = appendPublish(dst, &b)
	case History:
		dst = appendHistory(dst, &b)
	case Refresh:
		dst = append(dst, `"refresh":{`...)
		dst = appendText(dst, "token", b.Token)
	case Ping:
		dst = append(dst, `"ping":{`...)
	case Pong:
		dst = append(dst, `"pong":{`...)
	default:
		panic(fmt.Sprintf("wire: no client frame has a body of type %T", f.Body))
	}
	return append(closeObject(dst), '}')
}

func appendHello(dst []byte, b *Hello) []byte {
	dst = append(dst, `"hello":{`...)
	dst = appendText(dst, "token", b.Token)
	dst = appendText(dst, "client", b.Client)
	dst = appendText(dst, "sender", b.Sender)
	dst = appendText(dst, "resume", b.Resume)
	return appendMS(dst, "heartbeat_ms", b.Heartbeat)
}

func appendSubscribe(dst []byte, b *Subscribe) []byte {
	dst = append(dst, `"sub":{`...)
	dst = appendText(dst, "ch", b.Channel)
	dst = appendText(dst, "since", b.Since)
	dst = appendInt(dst, "last", int64(b.Last))
	if b.NoEcho {
		dst = append(dst, `"echo":false,`...)
	}
	return dst
}

func appendPublish(dst []byte, b *Publish) []byte {
	dst = append(dst, `"pub":{`...)
	dst = appendText(dst, "ch", b.Channel)
	dst = appendText(dst, "idem", b.Idem)
	return appendMessage(dst, &b.Message)
}

func appendHistory(dst []byte, b *History) []byte {
	dst = append(dst, `"history":{`...)
	dst = appendText(dst, "ch", b.Channel)
	dst = appendText(dst, "since", b.Since)
	dst = appendText(dst, "before", b.Before)
	return appendInt(dst, "limit", int64(b.Limit))
}
