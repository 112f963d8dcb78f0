package wire

// Codec writes and reads frames in one encoding. Its methods may be called concurrently.
//
// Append methods cannot fail: the frames are the program's own. Decode methods return a *ProtocolError for every input
// that is not a valid frame within the limits, and what they return aliases frame.
type Codec interface {
	// Subprotocol is the WebSocket subprotocol (RFC 6455 section 1.9) that selects the codec.
	Subprotocol() string
	// Binary reports whether frames travel in binary messages rather than text.
	Binary() bool
	AppendServerFrame(dst []byte, f ServerFrame) []byte
	AppendClientFrame(dst []byte, f ClientFrame) []byte
	DecodeClientFrame(frame []byte) (ClientFrame, error)
	DecodeServerFrame(frame []byte) (ServerFrame, error)
}
