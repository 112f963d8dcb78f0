package redis

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// slotCount is the number of hash slots of a Redis Cluster.
const slotCount = 1 << 14

// slotOf returns the slot of a key, or of a sharded pub/sub channel, that has a hash tag.
func slotOf(key string) int {
	start := strings.IndexByte(key, '{') + 1
	end := start + strings.IndexByte(key[start:], '}')
	return int(crc16(key[start:end]) % slotCount)
}

// crc16 is the CRC that the Redis Cluster specification names: polynomial 0x1021, from zero.
func crc16(s string) (crc uint16) {
	for i := range len(s) {
		crc ^= uint16(s[i]) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
	}
	return crc
}

// slotRange is a range of slots and the address of its master.
type slotRange struct {
	from, to int
	address  string
}

// readSlots asks a cluster which master has which slots. Host stands in for an address that the cluster does not name.
func readSlots(ctx context.Context, client rueidis.Client, host string) ([]slotRange, error) {
	reply, err := client.Do(ctx, client.B().ClusterSlots().Build()).ToArray()
	if err != nil {
		return nil, err
	}
	ranges := make([]slotRange, 0, len(reply))
	for _, r := range reply {
		one, err := decodeSlotRange(r, host)
		if err != nil {
			return nil, err
		}
		ranges = append(ranges, one)
	}
	return ranges, nil
}

func decodeSlotRange(r rueidis.RedisMessage, host string) (s slotRange, err error) {
	parts, err := r.ToArray()
	if err != nil || len(parts) < 3 {
		return s, fmt.Errorf("%w: slots of the cluster", errCorrupt)
	}
	from, err1 := parts[0].AsInt64()
	to, err2 := parts[1].AsInt64()
	master, err3 := parts[2].ToArray()
	if err1 != nil || err2 != nil || err3 != nil || len(master) < 2 || from < 0 || from > to || to >= slotCount {
		return s, fmt.Errorf("%w: slots of the cluster", errCorrupt)
	}
	if name, err := master[0].ToString(); err == nil && name != "" && name != "?" {
		host = name
	}
	port, err := master[1].AsInt64()
	return slotRange{int(from), int(to), net.JoinHostPort(host, strconv.FormatInt(port, 10))}, err
}
