package wire_test

import (
	"math"
	"strings"
	"testing"

	"github.com/earshot/earshot/wire"
)

// codes returns every code of the table, in order.
func codes() (all []wire.Code) {
	for c := range wire.Code(math.MaxUint16) {
		if c.Text() != "" {
			all = append(all, c)
		}
	}
	return all
}

func TestCodeNamesAreUniqueInTheirClass(t *testing.T) {
	seen := make(map[string]wire.Code)
	for _, c := range codes() {
		class := "error "
		if c >= 4000 {
			class = "close "
		}
		if other, ok := seen[class+c.String()]; ok {
			t.Errorf("%d and %d are both %s%s", other, c, class, c)
		}
		seen[class+c.String()] = c
	}
	if len(seen) < 34 {
		t.Errorf("the table has only %d codes", len(seen))
	}
}

// TestCodeClasses names the few codes at which each class begins and ends.
func TestCodeClasses(t *testing.T) {
	for _, tt := range []struct {
		code               wire.Code
		returns, temporary bool
	}{
		{wire.CodeBadFrame, true, false},
		{wire.CodeCallFailed, true, false},
		{wire.CodeUnauthorized, true, false},
		{wire.CodeTokenExpired, true, false},
		{wire.CodeInternal, true, true},
		{wire.CodeDraining, true, true},
		{1000, true, false},
		{1006, true, false},
		{wire.CloseBadFrame, false, false},
		{wire.CloseDisconnected, false, false},
		{4099, false, false},
		{wire.CloseDraining, true, false},
		{wire.CloseOverloaded, true, false},
		{wire.CloseReconnect, true, false},
		{wire.CloseMoved, true, false},
		{wire.CloseTokenExpired, true, false},
	} {
		if tt.code.Returns() != tt.returns || tt.code.Temporary() != tt.temporary {
			t.Errorf("%d: Returns %v, Temporary %v; want %v, %v",
				tt.code, tt.code.Returns(), tt.code.Temporary(), tt.returns, tt.temporary)
		}
	}
}

func TestUnknownCode(t *testing.T) {
	if got := wire.Code(399).String(); got != "code_399" || wire.Code(399).Text() != "" {
		t.Errorf("code 399 is %q, %q", got, wire.Code(399).Text())
	}
}

func TestProtocolErrorSaysCodeAndReason(t *testing.T) {
	plain := &wire.ProtocolError{Code: wire.CodeForbidden}
	if got := plain.Error(); got != "forbidden: no rule allows this" {
		t.Errorf("without a reason: %q", got)
	}
	if got := wire.Errorf(wire.CodeForbidden, "not on %s", "Mondays").Error(); !strings.HasSuffix(got, "forbidden: not on Mondays") {
		t.Errorf("with a reason: %q", got)
	}
}
