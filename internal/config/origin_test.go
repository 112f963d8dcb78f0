package config

import "testing"

// Browsers send an origin in lower case and without the usual port, so it is kept like that.
func TestOriginIsKeptAsBrowsersSendIt(t *testing.T) {
	for text, want := range map[string]string{
		"https://Example.COM":       "https://example.com",
		"https://example.com:443":   "https://example.com",
		"http://example.com:80":     "http://example.com",
		"http://example.com:443":    "http://example.com:443",
		"http://localhost:5173":     "http://localhost:5173",
		"http://[::1]:8000":         "http://[::1]:8000",
		"https://xn--bcher-kva.com": "https://xn--bcher-kva.com",
		"capacitor://localhost":     "capacitor://localhost",
	} {
		if got, err := origin(text); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, text := range []string{":0", "127.0.0.1:8000", "[::1]:8000", "[fe80::1%eth0]:1", "localhost:65535", "my_host.example:1"} {
		if got, err := address(text); err != nil || got != text {
			t.Errorf("%s: got %q, %v", text, got, err)
		}
	}
}
