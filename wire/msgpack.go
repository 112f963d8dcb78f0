package wire

// Msgpack is the codec of "earshot.v1.msgpack": the frames of JSON, member by member, as MessagePack. Bytes are of its type
// bin, so they need no base64, and data that is no JSON (bytes within an array, ext, NaN) is refused.
//
// It goes by way of the JSON text, which is what the engines keep and most clients read: a publication is converted once
// for all of its readers, and what a frame may say is written down in one place.
var Msgpack Codec = msgpackCodec{}

type msgpackCodec struct{}

func (msgpackCodec) Subprotocol() string { return "earshot.v1.msgpack" }

func (msgpackCodec) Binary() bool { return true }

// AppendServerFrame implements Codec.
func (msgpackCodec) AppendServerFrame(dst []byte, f ServerFrame) []byte {
	return appendMsgpack(dst, JSON.AppendServerFrame(nil, f))
}

// AppendClientFrame implements Codec.
func (msgpackCodec) AppendClientFrame(dst []byte, f ClientFrame) []byte {
	return appendMsgpack(dst, JSON.AppendClientFrame(nil, f))
}

// DecodeClientFrame implements Codec. The limits are those of the frame as JSON, too.
func (msgpackCodec) DecodeClientFrame(frame []byte) (ClientFrame, error) {
	if len(frame) > MaxFrameBytes {
		return ClientFrame{}, Errorf(CodeTooLarge, "a frame is at most %d bytes", MaxFrameBytes)
	}
	text, id, err := msgpackToJSON(frame)
	if err != nil {
		return ClientFrame{ID: id}, err
	}
	return JSON.DecodeClientFrame(text)
}

// DecodeServerFrame implements Codec.
func (msgpackCodec) DecodeServerFrame(frame []byte) (ServerFrame, error) {
	if len(frame) > MaxServerFrameBytes {
		return ServerFrame{}, Errorf(CodeTooLarge, "a server's frame is at most %d bytes", MaxServerFrameBytes)
	}
	text, id, err := msgpackToJSON(frame)
	if err != nil {
		return ServerFrame{ID: id}, err
	}
	return JSON.DecodeServerFrame(text)
}

// The first bytes of MessagePack values that are not in a range: https://github.com/msgpack/msgpack/blob/master/spec.md
const (
	packFixMap   = 0x80 // to 0x8f: the lower bits are the number of pairs
	packFixArray = 0x90 // to 0x9f
	packFixStr   = 0xa0 // to 0xbf
	packNil      = 0xc0
	packFalse    = 0xc2
	packTrue     = 0xc3
	packBin8     = 0xc4 // then bin 16 and bin 32
	packFloat32  = 0xca
	packFloat64  = 0xcb
	packUint8    = 0xcc // then uint 16, 32 and 64
	packInt8     = 0xd0 // then int 16, 32 and 64
	packStr8     = 0xd9 // then str 16 and str 32
	packArray16  = 0xdc // then array 32
	packMap16    = 0xde // then map 32
	packNegative = 0xe0 // to 0xff: -32 to -1
)
