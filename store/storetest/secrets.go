package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
)

var secretCases = []testCase{
	{name: "a sealed secret is kept, replaced and deleted by its name", run: sealedSecrets},
	{name: "secrets are listed by name, without what is sealed", run: listedSecrets},
	{name: "a secret that no store takes is refused", run: refusedSecrets},
	{name: "the check of the first key stays", run: keyCheck},
}

func sealedSecrets(t *testing.T, s *suite) {
	ctx := context.Background()
	_, err := s.SealedSecret(ctx, "TOKEN")
	wantError(t, err, engine.ErrNotFound)
	wantError(t, s.DeleteSecret(ctx, "TOKEN"), engine.ErrNotFound)

	wantEqual(t, "created", must[bool](t)(s.PutSecret(ctx, "TOKEN", []byte("one"))), true)
	first := s.clock.Now()
	s.clock.Advance(time.Minute)
	sealed := []byte("two")
	wantEqual(t, "created", must[bool](t)(s.PutSecret(ctx, "TOKEN", sealed)), false)
	sealed[0] = 'X'
	kept := must[data.Secret](t)(s.SealedSecret(ctx, "TOKEN"))
	wantEqual(t, "sealed", string(kept.Sealed), "two")
	wantEqual(t, "updated", kept.UpdatedAt, first.Add(time.Minute))
	_, err = s.SealedSecret(ctx, "token")
	wantError(t, err, engine.ErrNotFound)

	need(t, s.DeleteSecret(ctx, "TOKEN"))
	_, err = s.SealedSecret(ctx, "TOKEN")
	wantError(t, err, engine.ErrNotFound)
}

func listedSecrets(t *testing.T, s *suite) {
	ctx := context.Background()
	wantEqual(t, "secrets", len(must[[]data.Secret](t)(s.Secrets(ctx))), 0)
	const count = 450
	for i := range count {
		must[bool](t)(s.PutSecret(ctx, fmt.Sprintf("S%03d", (i*7)%count), []byte("sealed")))
	}
	list := must[[]data.Secret](t)(s.Secrets(ctx))
	wantEqual(t, "secrets", len(list), count)
	for i, secret := range list {
		wantEqual(t, "name", secret.Name, fmt.Sprintf("S%03d", i))
		if secret.Sealed != nil || !secret.UpdatedAt.Equal(s.clock.Now()) {
			t.Fatalf("listed as %+v", secret)
		}
	}
}

func refusedSecrets(t *testing.T, s *suite) {
	ctx := context.Background()
	for _, name := range []string{"", strings.Repeat("n", data.MaxKey+1)} {
		_, err := s.PutSecret(ctx, name, []byte("sealed"))
		wantError(t, err, data.ErrInvalid)
	}
	for _, sealed := range [][]byte{nil, make([]byte, data.MaxSealed+1)} {
		_, err := s.PutSecret(ctx, "TOKEN", sealed)
		wantError(t, err, data.ErrInvalid)
	}
	wantError(t, s.PutKeyCheck(ctx, nil), data.ErrInvalid)
}

func keyCheck(t *testing.T, s *suite) {
	ctx := context.Background()
	if check := must[[]byte](t)(s.KeyCheck(ctx)); check != nil {
		t.Fatalf("a new store has the key check %q", check)
	}
	need(t, s.PutKeyCheck(ctx, []byte("first")))
	wantError(t, s.PutKeyCheck(ctx, []byte("second")), engine.ErrConflict)
	wantEqual(t, "key check", string(must[[]byte](t)(s.KeyCheck(ctx))), "first")
}
