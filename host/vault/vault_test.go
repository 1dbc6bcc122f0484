package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/secret"
	"github.com/vwmp/vwmp/host/vault"
	"github.com/vwmp/vwmp/store/memory"
)

func set(t *testing.T, v *vault.Vault, name, value string) bool {
	t.Helper()
	created, err := v.SetSecret(t.Context(), name, secret.NewValue(value))
	if err != nil {
		t.Fatalf("set %s: %v", name, err)
	}
	return created
}

func get(t *testing.T, v *vault.Vault, name string) string {
	t.Helper()
	value, err := v.Secret(t.Context(), name)
	if err != nil {
		t.Fatalf("get %s: %v", name, err)
	}
	return value.Reveal()
}

func TestASecretIsKeptSealedUnderItsName(t *testing.T) {
	store, file := memory.New(memory.Options{}), filepath.Join(t.TempDir(), "secret.key")
	v := vault.New(vault.Options{Store: store, KeyFile: file})
	if _, err := v.Secret(t.Context(), "TOKEN"); !errors.Is(err, engine.ErrNotFound) {
		t.Fatalf("before it is set: %v", err)
	}
	if err := v.Check(t.Context()); err != nil {
		t.Errorf("before anything is sealed: %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a key was made before one was needed")
	}
	if !set(t, v, "TOKEN", "hush-hush") || set(t, v, "TOKEN", "hush-hush!") {
		t.Error("created is wrong")
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %v", info.Mode())
	}
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
		t.Errorf("beside the key there is more: %v, %v", entries, err)
	}
	sealed, err := store.SealedSecret(t.Context(), "TOKEN")
	if err != nil || bytes.Contains(sealed.Sealed, []byte("hush")) {
		t.Errorf("kept as %q, %v", sealed.Sealed, err)
	}
	// Another process, later.
	if got := get(t, vault.New(vault.Options{Store: store, KeyFile: file}), "TOKEN"); got != "hush-hush!" {
		t.Errorf("opened: %q", got)
	}
	// What is sealed under one name does not open under another.
	if _, err := store.PutSecret(t.Context(), "OTHER", sealed.Sealed); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Secret(t.Context(), "OTHER"); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("moved to another name: %v", err)
	}
}

func TestALostOrWrongKeyIsToldAndNeverReplaced(t *testing.T) {
	store, file := memory.New(memory.Options{}), filepath.Join(t.TempDir(), "secret.key")
	set(t, vault.New(vault.Options{Store: store, KeyFile: file}), "TOKEN", "hush-hush")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wrong := []byte(base64.StdEncoding.EncodeToString(secret.RandomKey()))
	for name, content := range map[string][]byte{"lost": nil, "wrong": wrong, "damaged": good[:20]} {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if content != nil {
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		v := vault.New(vault.Options{Store: store, KeyFile: file})
		_, openErr := v.Secret(t.Context(), "TOKEN")
		_, sealErr := v.SetSecret(t.Context(), "NEW", secret.NewValue("hush-hush"))
		for _, err := range []error{openErr, sealErr} {
			var told *vault.KeyError
			if !errors.As(err, &told) || !errors.Is(err, secret.ErrKey) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "VWMP_SECRET_KEY_FILE") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := v.Check(t.Context()); !errors.Is(err, secret.ErrKey) {
			t.Errorf("%s, checked: %v", name, err)
		}
		if now, err := os.ReadFile(file); content != nil && (err != nil || !bytes.Equal(now, content)) {
			t.Errorf("%s: the file was changed", name)
		} else if content == nil && err == nil {
			t.Errorf("%s: a new key was made", name)
		}
		if err := os.WriteFile(file, good, 0o600); err != nil {
			t.Fatal(err)
		}
		// The same process goes on once the key is back.
		if got := get(t, v, "TOKEN"); got != "hush-hush" {
			t.Errorf("%s, then put back: %q", name, got)
		}
	}
	// Without the key a secret can still be taken away.
	v := vault.New(vault.Options{Store: store, KeyFile: filepath.Join(t.TempDir(), "nowhere")})
	if err := v.DeleteSecret(t.Context(), "TOKEN"); err != nil {
		t.Errorf("delete without the key: %v", err)
	}
}

func TestAKeyIsReadInEveryFormThatOpensslWrites(t *testing.T) {
	raw := bytes.Repeat([]byte{7, 0xFE}, secret.KeySize/2)
	store := memory.New(memory.Options{})
	for name, text := range map[string]string{
		"bytes": string(raw), "base64": base64.StdEncoding.EncodeToString(raw) + "\n", "URL base64": base64.RawURLEncoding.EncodeToString(raw), "hex": hex.EncodeToString(raw) + "\n",
	} {
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		v := vault.New(vault.Options{Store: store, KeyFile: file})
		set(t, v, "K", "hush-hush")
		if got := get(t, v, "K"); got != "hush-hush" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestTheKeyIsMadeOnceForManyAtATime(t *testing.T) {
	store, file := memory.New(memory.Options{}), filepath.Join(t.TempDir(), "secret.key")
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			v := vault.New(vault.Options{Store: store, KeyFile: file})
			if _, err := v.SetSecret(t.Context(), "TOKEN", secret.NewValue("hush-hush")); err != nil {
				t.Errorf("set: %v", err)
			}
			if value, err := v.Secret(t.Context(), "TOKEN"); err != nil || value.Reveal() != "hush-hush" {
				t.Errorf("get: %v", err)
			}
		})
	}
	running.Wait()
}

func TestWhatCanBeNoSecretIsRefusedWithoutRepeatingIt(t *testing.T) {
	v := vault.New(vault.Options{Store: memory.New(memory.Options{})})
	for name, value := range map[string]string{
		"":                       "hush-hush",
		"9lives":                 "hush-hush",
		"a.b":                    "hush-hush",
		strings.Repeat("n", 101): "hush-hush",
		"EMPTY":                  "",
		"BINARY":                 "hush-hush\xff",
		"NUL":                    "hush-hush\x00",
		"LARGE":                  strings.Repeat("hush", vault.MaxValue/4) + "!",
	} {
		_, err := v.SetSecret(t.Context(), name, secret.NewValue(value))
		var refused *engine.ProblemsError
		if !errors.As(err, &refused) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", name, err)
		}
	}
	set(t, v, "a-B_9", strings.Repeat("x", vault.MaxValue))
	if list, err := v.Secrets(t.Context()); err != nil || len(list) != 1 || list[0].Name != "a-B_9" {
		t.Errorf("listed: %v, %v", list, err)
	}
}

func TestWithoutAFileTheKeyLastsAsLongAsTheVault(t *testing.T) {
	store := memory.New(memory.Options{})
	v := vault.New(vault.Options{Store: store})
	set(t, v, "TOKEN", "hush-hush")
	if got := get(t, v, "TOKEN"); got != "hush-hush" {
		t.Errorf("got %q", got)
	}
	if _, err := vault.New(vault.Options{Store: store}).Secret(t.Context(), "TOKEN"); !errors.Is(err, secret.ErrKey) {
		t.Errorf("another vault: %v", err)
	}
}
