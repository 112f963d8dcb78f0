package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bytes is an amount of data. As text it is a whole number and a unit, B, KB, MB, GB or TB, each 1,024 of the one before.
type Bytes int64

var byteUnits = []string{"B", "KB", "MB", "GB", "TB"}

// String writes b in the largest unit that divides it.
func (b Bytes) String() string {
	unit := 0
	for b != 0 && b%1024 == 0 && unit < len(byteUnits)-1 {
		b /= 1024
		unit++
	}
	return strconv.FormatInt(int64(b), 10) + byteUnits[unit]
}

// UnmarshalText reads what String writes; the unit may be in lower case.
func (b *Bytes) UnmarshalText(text []byte) error {
	digits := strings.TrimRight(strings.ToUpper(string(text)), "BKMGT")
	unit := 0
	for i, name := range byteUnits {
		if strings.EqualFold(digits+name, string(text)) {
			unit = i + 1
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if unit == 0 || (err != nil && !errors.Is(err, strconv.ErrRange)) {
		return fmt.Errorf("%s is not an amount of data; write a whole number and a unit, such as 64MB", quote(string(text)))
	}
	scale := uint64(1) << (10 * (unit - 1))
	if err != nil || n > math.MaxInt64/scale {
		return fmt.Errorf("%s is too much", quote(string(text)))
	}
	*b = Bytes(n * scale)
	return nil
}

const day = 24 * time.Hour

// parseDuration reads what time.ParseDuration does, and whole days, such as 30d.
func parseDuration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * day, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || text == "0" {
		return 0, fmt.Errorf("%s is not a duration; write numbers and units, such as 25s, 1h30m or 30d", quote(text))
	}
	return d, nil
}
