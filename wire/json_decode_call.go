package wire

func (d *clientDecoder) call(frame *object) (b Call) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "to":
			b.To = d.text(&o, MaxSessionBytes)
		case "method":
			b.Method = d.text(&o, MaxMethodBytes)
			if !isPrintable(b.Method) {
				d.reject(&o, CodeBadFrame, "must be without control characters")
			}
		case "timeout_ms":
			b.Timeout = d.milliseconds(&o, MaxCallTimeout)
		case "idem":
			b.Idem = d.text(&o, MaxIdemBytes)
		default:
			if !d.data(&o, &b.Data) {
				d.unknown(&o)
			}
		}
	}
	d.require("method", b.Method)
	b.Data.fill()
	return b
}

func (d *clientDecoder) callResult(frame *object) (b Result) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "error":
			b.Error = d.text(&o, MaxReasonBytes)
		default:
			if !d.data(&o, &b.Data) {
				d.unknown(&o)
			}
		}
	}
	if b.Error != "" && b.Data.Body != nil {
		d.check(Errorf(CodeBadFrame, `"result" has both an error and data`))
	}
	b.Data.fill()
	return b
}

func (d *serverDecoder) returned(frame *object) (b Returned) {
	for o := d.enter(frame); d.next(&o); {
		if !d.data(&o, &b.Data) {
			d.unknown(&o)
		}
	}
	b.Data.fill()
	return b
}

func (d *serverDecoder) invocation(frame *object) (b Invocation) {
	for o := d.enter(frame); d.next(&o); {
		switch string(o.name) {
		case "from":
			b.From = d.text(&o, MaxServerFrameBytes)
		case "user":
			b.User = d.text(&o, MaxServerFrameBytes)
		case "method":
			b.Method = d.text(&o, MaxServerFrameBytes)
		case "timeout_ms":
			b.Timeout = d.milliseconds(&o, maxDuration)
		default:
			if !d.data(&o, &b.Data) {
				d.unknown(&o)
			}
		}
	}
	b.Data.fill()
	return b
}
