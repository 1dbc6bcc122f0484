package secret_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/secret"
)

func TestAValueShowsNothingHoweverItIsPrinted(t *testing.T) {
	const text = "hush-hush"
	value := secret.NewValue(text)
	type holder struct {
		Public  secret.Value
		private secret.Value
	}
	held := holder{value, value}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("said", "value", value, "held", held)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("said", "value", value, "held", held)
	inJSON, err := json.Marshal(map[string]any{"value": value, "held": held, "list": []*secret.Value{&value}})
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{log.String(), string(inJSON), value.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v"} {
		for _, each := range []any{value, &value, held, &held, []secret.Value{value}, map[string]secret.Value{"k": value}} {
			shown = append(shown, fmt.Sprintf(strings.Replace(verb, "%T ", "", 1), each))
		}
	}
	for _, each := range shown {
		if strings.Contains(each, text) || strings.Contains(each, fmt.Sprintf("%x", text)) {
			t.Errorf("shown: %s", each)
		}
	}
	if fmt.Sprintf("%s", value) != secret.Mask || value.Reveal() != text || (secret.Value{}).Reveal() != "" {
		t.Errorf("it is %s, and %q when revealed", value, value.Reveal())
	}
}

func TestWhatIsSealedOpensOnlyWithItsKeyForItsPurpose(t *testing.T) {
	key, err := secret.NewKey(secret.RandomKey())
	if err != nil {
		t.Fatal(err)
	}
	other, err := secret.NewKey(secret.RandomKey())
	if err != nil {
		t.Fatal(err)
	}
	sealed := key.Seal("secret A", []byte("text"))
	if again := key.Seal("secret A", []byte("text")); bytes.Equal(sealed, again) {
		t.Error("sealed twice, it is the same")
	}
	text, err := key.Open("secret A", sealed)
	if err != nil || string(text) != "text" {
		t.Fatalf("opened: %q, %v", text, err)
	}
	if _, err := key.Open("secret B", sealed); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("for another purpose: %v", err)
	}
	if _, err := other.Open("secret A", sealed); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("with another key: %v", err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := key.Open("secret A", changed); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("with byte %d changed: %v", i, err)
		}
		if _, err := key.Open("secret A", sealed[:i]); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("cut to %d bytes: %v", i, err)
		}
	}
	if _, err := secret.NewKey(make([]byte, 16)); err == nil {
		t.Error("a key of 16 bytes is taken")
	}
}
