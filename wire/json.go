package wire

// JSON is the codec of "earshot.v1.json", which is also spoken where no subprotocol was agreed on.
var JSON Codec = jsonCodec{}

type jsonCodec struct{}

func (jsonCodec) Subprotocol() string { return "earshot.v1.json" }

func (jsonCodec) Binary() bool { return false }
