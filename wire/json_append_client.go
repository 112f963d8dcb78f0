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
	case Set:
		dst = appendSet(dst, &b)
	case Delete:
		dst = appendDelete(dst, &b)
	case Join:
		dst = append(dst, `"join":{`...)
		dst = appendData(appendText(dst, "ch", b.Channel), b.Data)
	case Leave:
		dst = append(dst, `"leave":{`...)
		dst = appendText(dst, "ch", b.Channel)
	case Call:
		dst = appendCall(dst, &b)
	case Result:
		dst = appendResult(dst, &b)
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
	return appendMS(dst, "every_ms", b.Every)
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

func appendSet(dst []byte, b *Set) []byte {
	dst = append(dst, `"set":{`...)
	dst = appendText(dst, "ch", b.Channel)
	dst = appendText(dst, "key", b.Key)
	dst = appendData(dst, b.Data)
	dst = appendVersion(dst, "if", b.If)
	dst = appendMS(dst, "ttl_ms", b.TTL)
	dst = appendTrue(dst, "own", b.Own)
	return appendText(dst, "idem", b.Idem)
}

func appendDelete(dst []byte, b *Delete) []byte {
	dst = append(dst, `"del":{`...)
	dst = appendText(dst, "ch", b.Channel)
	dst = appendText(dst, "key", b.Key)
	dst = appendVersion(dst, "if", b.If)
	return appendText(dst, "idem", b.Idem)
}

func appendCall(dst []byte, b *Call) []byte {
	dst = append(dst, `"call":{`...)
	dst = appendText(dst, "to", b.To)
	dst = appendText(dst, "method", b.Method)
	dst = appendData(dst, b.Data)
	dst = appendMS(dst, "timeout_ms", b.Timeout)
	return appendText(dst, "idem", b.Idem)
}

// appendResult appends data or, if b is a failure, what went wrong.
func appendResult(dst []byte, b *Result) []byte {
	dst = append(dst, `"result":{`...)
	if b.Error != "" {
		return appendText(dst, "error", b.Error)
	}
	return appendData(dst, b.Data)
}
