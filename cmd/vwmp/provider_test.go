package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// openIDProvider is a small OpenID provider, as a process of its own. It asks
// nobody for a password: who signs in is the person of the query.
type openIDProvider struct {
	url string
	key *rsa.PrivateKey

	mu    sync.Mutex
	codes map[string]url.Values
}

const (
	providerClient = "vwmp"
	providerSecret = "client-secret"
)

// people are who the provider knows, by their claims.
var people = map[string]map[string]any{
	"ann":   {"sub": "1", "preferred_username": "Ann", "groups": []string{"ops-admins", "Eng"}},
	"bob":   {"sub": "2", "preferred_username": "bob", "groups": []string{"eng"}},
	"moved": {"sub": "2", "preferred_username": "bob", "groups": []string{"readers"}},
	"thief": {"sub": "3", "preferred_username": "bob", "groups": []string{"ops-admins"}},
	"local": {"sub": "4", "preferred_username": "carl", "groups": []string{"ops-admins"}},
	"root":  {"sub": "5", "preferred_username": "admin", "groups": []string{"ops-admins"}},
	"eve":   {"sub": "6", "preferred_username": "eve", "groups": []string{"visitors"}},
	"stale": {"sub": "7", "preferred_username": "stale", "groups": []string{"eng"}, "nonce": "of-another-sign-in"},
	"other": {"sub": "8", "preferred_username": "other", "groups": []string{"eng"}, "aud": "another-client"},
}

// providerMain is the process; it prints its address.
func providerMain() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	p := &openIDProvider{url: "http://" + listener.Addr().String(), key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.configuration)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("POST /sign", p.signAny)
	fmt.Println("serves on " + p.url)
	fmt.Fprintln(os.Stderr, http.Serve(listener, mux)) //nolint:gosec // It serves one test.
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func (p *openIDProvider) configuration(w http.ResponseWriter, _ *http.Request) {
	answer(w, 200, map[string]any{
		"issuer": p.url, "authorization_endpoint": p.url + "/authorize", "token_endpoint": p.url + "/token", "jwks_uri": p.url + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
	})
}

func (p *openIDProvider) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "one", Algorithm: "RS256", Use: "sig"}}})
}

// authorize sends the browser back with a code at once.
func (p *openIDProvider) authorize(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Query()
	if asked.Get("client_id") != providerClient || asked.Get("code_challenge_method") != "S256" || asked.Get("nonce") == "" || !strings.Contains(asked.Get("scope"), "openid") {
		http.Error(w, "this is no sign-in of a known client with PKCE and a nonce", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.mu.Lock()
	p.codes[code] = asked
	p.mu.Unlock()
	back := url.Values{"code": {code}, "state": {asked.Get("state")}}
	http.Redirect(w, r, asked.Get("redirect_uri")+"?"+back.Encode(), http.StatusSeeOther)
}

// token exchanges a code, once, for who knows the client's secret and the
// verifier of the challenge.
func (p *openIDProvider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	p.mu.Lock()
	asked, found := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	p.mu.Unlock()
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !found || id != providerClient || secret != providerSecret || r.FormValue("redirect_uri") != asked.Get("redirect_uri") ||
		base64.RawURLEncoding.EncodeToString(challenge[:]) != asked.Get("code_challenge") {
		answer(w, 400, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{"iss": p.url, "aud": providerClient, "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "nonce": asked.Get("nonce")}
	maps.Copy(claims, people[asked.Get("person")])
	signed, err := p.sign(claims, "one")
	if err != nil {
		answer(w, 500, map[string]string{"error": err.Error()})
		return
	}
	answer(w, 200, map[string]any{"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600, "id_token": signed})
}

func (p *openIDProvider) sign(claims map[string]any, kid string) (string, error) {
	text, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: kid}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	signature, err := signer.Sign(text)
	if err != nil {
		return "", err
	}
	return signature.CompactSerialize()
}

// signAny signs the claims of the body, with the kid of the query.
func (p *openIDProvider) signAny(w http.ResponseWriter, r *http.Request) {
	var claims map[string]any
	if err := json.NewDecoder(r.Body).Decode(&claims); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	signed, err := p.sign(claims, r.URL.Query().Get("kid"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = fmt.Fprint(w, signed)
}
