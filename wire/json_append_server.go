package wire

import "fmt"

// AppendServerFrame implements Codec.
func (jsonCodec) AppendServerFrame(dst []byte, f ServerFrame) []byte {
	dst = openFrame(dst, f.ID)
	switch b := f.Body.(type) {
	case Publication:
		dst = append(dst, `"pub":{`...)
		dst = appendPublication(dst, b.Channel, &b)
	case Published:
		dst = appendPublished(dst, &b)
	case Welcome:
		dst = appendWelcome(dst, &b)
	case Subscribed:
		dst = append(dst, `"subscribed":{`...)
		dst = appendPlace(dst, b.Channel, b.Position)
	case Unsubscribed:
		dst = appendUnsubscribed(dst, &b)
	case Page:
		dst = appendPage(dst, &b)
	case Returned:
		dst = append(dst, `"result":{`...)
		dst = appendData(dst, b.Data)
	case Refreshed:
		dst = appendMS(append(dst, `"refreshed":{`...), "expires_ms", b.Expires)
	case Error:
		dst = appendError(dst, &b)
	case Reset:
		dst = append(dst, `"reset":{`...)
		dst = appendPlace(dst, b.Channel, b.Position)
		dst = appendText(dst, "why", string(b.Why))
	case Missed:
		dst = appendMissed(dst, &b)
	case Moved:
		dst = append(dst, `"moved":{`...)
		dst = appendPlace(dst, b.Channel, b.Position)
	case Synced:
		dst = append(dst, `"synced":{`...)
		dst = appendPlace(dst, b.Channel, b.Position)
	case Invocation:
		dst = appendInvocation(dst, &b)
	case Ping:
		dst = append(dst, `"ping":{`...)
	case Pong:
		dst = append(dst, `"pong":{`...)
	case Bye:
		dst = appendBye(dst, &b)
	default:
		panic(fmt.Sprintf("wire: no server frame has a body of type %T", f.Body))
	}
	return append(closeObject(dst), '}')
}

// appendPlace appends a channel and a position in it.
func appendPlace(dst []byte, channel, position string) []byte {
	return appendText(appendText(dst, "ch", channel), "pos", position)
}

// appendPublication appends the fields of b, with channel as that of the channel. A key that is gone has no message.
func appendPublication(dst []byte, channel string, b *Publication) []byte {
	dst = appendText(dst, "ch", channel)
	dst = appendUint(dst, "off", b.Offset)
	dst = appendText(dst, "pos", b.Position)
	dst = appendInt(dst, "time", b.UnixMS)
	dst = appendText(dst, "user", b.User)
	dst = appendText(dst, "key", b.Key)
	if b.Gone {
		return appendTrue(dst, "gone", true)
	}
	return appendMessage(dst, &b.Message)
}

func appendPublished(dst []byte, b *Published) []byte {
	dst = append(dst, `"published":{`...)
	dst = appendPlace(dst, b.Channel, b.Position)
	dst = appendUint(dst, "off", b.Offset)
	dst = appendTrue(dst, "dup", b.Duplicate)
	return appendText(dst, "durability", b.Durability)
}

func appendWelcome(dst []byte, b *Welcome) []byte {
	dst = append(dst, `"welcome":{`...)
	dst = appendText(dst, "session", b.Session)
	dst = appendText(dst, "resume", b.Resume)
	dst = appendText(dst, "user", b.User)
	dst = appendTrue(dst, "resumed", b.Resumed)
	dst = appendMS(dst, "heartbeat_ms", b.Heartbeat)
	return appendMS(dst, "expires_ms", b.Expires)
}

func appendUnsubscribed(dst []byte, b *Unsubscribed) []byte {
	dst = append(dst, `"unsubscribed":{`...)
	dst = appendText(dst, "ch", b.Channel)
	dst = appendCode(dst, b.Code)
	return appendText(dst, "reason", b.Reason)
}

func appendPage(dst []byte, b *Page) []byte {
	dst = append(dst, `"page":{`...)
	dst = appendText(dst, "ch", b.Channel)
	if len(b.Publications) > 0 {
		dst = append(dst, `"pubs":[`...)
		for i := range b.Publications {
			dst = append(closeObject(appendPublication(append(dst, '{'), "", &b.Publications[i])), ',')
		}
		dst[len(dst)-1] = ']'
		dst = append(dst, ',')
	}
	dst = appendText(dst, "pos", b.Position)
	dst = appendTrue(dst, "complete", b.Complete)
	dst = appendTrue(dst, "more", b.More)
	return appendInt(dst, "keys", int64(b.Keys))
}

func appendInvocation(dst []byte, b *Invocation) []byte {
	dst = append(dst, `"call":{`...)
	dst = appendText(dst, "from", b.From)
	dst = appendText(dst, "user", b.User)
	dst = appendText(dst, "method", b.Method)
	dst = appendData(dst, b.Data)
	return appendMS(dst, "timeout_ms", b.Timeout)
}

func appendError(dst []byte, b *Error) []byte {
	dst = append(dst, `"error":{`...)
	dst = appendCode(dst, b.Code)
	dst = appendText(dst, "reason", b.Reason)
	return appendMS(dst, "retry_ms", b.RetryAfter)
}

func appendMissed(dst []byte, b *Missed) []byte {
	dst = append(dst, `"missed":{`...)
	dst = appendText(dst, "ch", b.Channel)
	dst = appendUint(dst, "count", b.Count)
	return appendText(dst, "pos", b.Position)
}

func appendBye(dst []byte, b *Bye) []byte {
	dst = append(dst, `"bye":{`...)
	dst = appendCode(dst, b.Code)
	dst = appendText(dst, "reason", b.Reason)
	return appendMS(dst, "delay_ms", b.Delay)
}
