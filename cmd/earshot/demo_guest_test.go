package main

import (
	"context"
	"strings"
	"testing"

	"github.com/earshot/earshot"
)

func TestGuestIsWhoHasTheSecret(t *testing.T) {
	user := func(secret string) string {
		who, err := guest(context.Background(), earshot.ConnectRequest{Token: secret})
		if err != nil {
			t.Fatalf("secret %q: %v", secret, err)
		}
		return who.User
	}
	ann, bob := strings.Repeat("a", 32), strings.Repeat("b", 32)
	if first := user(ann); first != user(ann) {
		t.Error("one secret makes two users")
	}
	if user(ann) == user(bob) {
		t.Error("two secrets make one user")
	}
	if strings.Contains(user(ann), "aaaa") {
		t.Errorf("the user %q tells of the secret", user(ann))
	}
	if got := user(""); got != "" {
		t.Errorf("without a secret the user is %q; want none", got)
	}
}

func TestGuestWithAnEasySecretIsRefused(t *testing.T) {
	who, err := guest(context.Background(), earshot.ConnectRequest{Token: strings.Repeat("a", 31)})
	if err == nil {
		t.Errorf("a secret of 31 bytes makes the user %q; want an error", who.User)
	}
}
