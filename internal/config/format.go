package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/earshot/earshot/internal/auth"
)

// formats are the checks that a field's format tag names. Each returns the text as it is kept.
var formats = map[string]func(string) (string, error){
	"address":   address,
	"path":      path,
	"origin":    origin,
	"engine":    engine,
	"namespace": namespaceName,
	"text":      text,
	"pattern":   pattern,
}

const maxNamespaceBytes = 64

func namespaceName(s string) (string, error) {
	if s == "" || len(s) > maxNamespaceBytes || !onlyRunes(s, "-_") {
		return "", fmt.Errorf("%s is not a namespace; write 1 to %d letters, digits, - and _", quote(s), maxNamespaceBytes)
	}
	return s, nil
}

const maxTextBytes = 1000

func text(s string) (string, error) {
	if strings.TrimSpace(s) == "" || len(s) > maxTextBytes {
		return "", fmt.Errorf("%s is empty or longer than %d bytes", quote(s), maxTextBytes)
	}
	return s, nil
}

// pattern checks a pattern of owners. Without {user}, it would make everybody an owner.
func pattern(s string) (string, error) {
	p := auth.Pattern(s)
	if err := p.Validate(); err != nil {
		return "", fmt.Errorf("%s is not a pattern: %w", quote(s), err)
	}
	if !p.NamesUser() {
		return "", fmt.Errorf("%s names no owner; write {user} where the owner's name stands", quote(s))
	}
	return s, nil
}

const maxPathBytes = 4096

func path(s string) (string, error) {
	switch {
	case strings.TrimSpace(s) == "":
		return "", errors.New("must name a folder")
	case strings.ContainsRune(s, 0) || len(s) > maxPathBytes:
		return "", fmt.Errorf("%s is not a path", quote(s))
	}
	return s, nil
}

// engine checks the address of a Redis. Its errors leave out the address, which may have a password in it.
func engine(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Host == "" {
		return "", errors.New("not the address of a Redis; write redis://host:port, or rediss://host:port for TLS")
	}
	return s, nil
}

const maxHostBytes = 253 // RFC 1035 section 2.3.4

func address(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", fmt.Errorf("%s is not an address; write host:port, such as 127.0.0.1:8000 or [::1]:8000", quote(s))
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("%s: the port must be a number from 0 to 65535", quote(s))
	}
	if host != "" && !isHost(host) {
		return "", fmt.Errorf("%s: the host is neither a name nor an IP address", quote(s))
	}
	return s, nil
}

// isHost reports whether s is an IP address or looks like a host name in ASCII.
func isHost(s string) bool {
	if ip, _, _ := strings.Cut(s, "%"); net.ParseIP(ip) != nil {
		return true
	}
	return len(s) <= maxHostBytes && onlyRunes(s, "-_.") && strings.Trim(s, ".-") != ""
}

// onlyRunes reports whether s has no characters but ASCII letters, digits and those of others.
func onlyRunes(s, others string) bool {
	for _, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if digit := '0' <= r && r <= '9'; !letter && !digit && !strings.ContainsRune(others, r) {
			return false
		}
	}
	return true
}

// origin returns s as browsers write it in the Origin header (RFC 6454 section 6.2): in lower case, without the scheme's
// usual port.
func origin(s string) (string, error) {
	bad := func(why string) (string, error) {
		return "", fmt.Errorf("%s %s; write scheme://host or scheme://host:port, such as https://example.com", quote(s), why)
	}
	if strings.Contains(s, "*") {
		return bad("has a wildcard, and every origin must be named")
	}
	u, err := url.Parse(strings.ToLower(s))
	if err != nil || u.Scheme == "" || u.Host == "" || !isHost(u.Hostname()) {
		return bad("is not an origin")
	}
	if u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#") || u.User != nil {
		return bad("has more than a scheme, a host and a port")
	}
	port := u.Port()
	if _, err := strconv.ParseUint(port, 10, 16); port != "" && err != nil || strings.HasSuffix(u.Host, ":") {
		return bad("has no valid port")
	}
	if usualPort := map[string]string{"http": "80", "https": "443"}[u.Scheme]; port != "" && port == usualPort {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	return u.Scheme + "://" + u.Host, nil
}
