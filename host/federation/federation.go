// Package federation lets those whom somebody else vouches for: browsers
// by OpenID Connect, programs by a JWT as bearer.
//
// It reads what the issuer signed and says who that is and what they may do.
// It keeps nothing, and asks the issuer nothing before somebody wants in.
package federation

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/store/data"
)

// askTimeout bounds each request to an issuer.
const askTimeout = 10 * time.Second

// algorithms are those that a signature may have: none of them can be checked
// with a secret that both sides know, and none is "none".
func algorithms() []string {
	return []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}
}

// Mapping says which claims make an account.
type Mapping struct {
	// NameClaim names the account; empty is preferred_username, else email,
	// else sub.
	NameClaim string `json:"name_claim,omitempty" yaml:"name_claim"`
	// RoleClaim has one or several words, such as groups; a dot leads into an
	// object. Roles gives the role of a word; the highest one counts.
	RoleClaim string            `json:"role_claim,omitempty" yaml:"role_claim"`
	Roles     map[string]string `json:"roles,omitempty" yaml:"roles"`
	// DefaultRole is that of one without such a word; empty lets nobody in.
	DefaultRole string `json:"default_role,omitempty" yaml:"default_role"`
	// TeamClaim has the teams.
	TeamClaim string `json:"team_claim,omitempty" yaml:"team_claim"`
}

// check refuses roles that there are not.
func (m *Mapping) check() error {
	if m.DefaultRole != "" && !slices.Contains(data.Roles(), m.DefaultRole) {
		return fmt.Errorf("default_role must be one of %s, not %q", strings.Join(data.Roles(), ", "), m.DefaultRole)
	}
	for word, role := range m.Roles {
		if !slices.Contains(data.Roles(), role) {
			return fmt.Errorf("roles.%s must be one of %s, not %q", word, strings.Join(data.Roles(), ", "), role)
		}
	}
	if m.DefaultRole == "" && (m.RoleClaim == "" || len(m.Roles) == 0) {
		return errors.New("nobody would have a role: set role_claim and roles, or default_role")
	}
	return nil
}

// identity makes an account of the claims of a token that was verified.
func (m *Mapping) identity(token *oidc.IDToken) (edge.Identity, error) {
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return edge.Identity{}, fmt.Errorf("read the claims: %w", err)
	}
	who := edge.Identity{Issuer: token.Issuer, Subject: token.Subject, Until: token.Expiry}
	names := []string{m.NameClaim}
	if m.NameClaim == "" {
		names = []string{"preferred_username", "email", "sub"}
	}
	for _, name := range names {
		if words := wordsOf(claims, name); len(words) == 1 && who.Name == "" {
			who.Name = strings.ToLower(words[0])
		}
	}
	if !data.ValidName(who.Name) || who.Name == edge.AdminName {
		return edge.Identity{}, fmt.Errorf("the claim %s names %.64q, which no account can be called", strings.Join(names, ", "), who.Name)
	}
	who.Role = m.DefaultRole
	for _, word := range wordsOf(claims, m.RoleClaim) {
		if role := m.Roles[word]; slices.Index(data.Roles(), role) > slices.Index(data.Roles(), who.Role) {
			who.Role = role
		}
	}
	if who.Role == "" {
		return edge.Identity{}, &edge.NoRoleError{Name: who.Name}
	}
	for _, team := range wordsOf(claims, m.TeamClaim) {
		if team = strings.ToLower(team); data.ValidName(team) && len(who.Teams) < 100 {
			who.Teams = append(who.Teams, team)
		}
	}
	return who, nil
}

// wordsOf reads a claim that is a text or a list of them.
func wordsOf(claims map[string]any, name string) []string {
	value, found := claims[name]
	for !found && name != "" {
		first, rest, parted := strings.Cut(name, ".")
		inner, isObject := claims[first].(map[string]any)
		if !parted || !isObject {
			return nil
		}
		claims, name = inner, rest
		value, found = claims[name]
	}
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var words []string
		for _, each := range v {
			if word, ok := each.(string); ok {
				words = append(words, word)
			}
		}
		return words
	}
	return nil
}

// OIDC is how browsers are signed in by an OpenID provider.
type OIDC struct {
	Issuer   string `json:"issuer" yaml:"issuer"`
	ClientID string `json:"client_id" yaml:"client_id"`
	// ClientSecret may be empty for a public client.
	ClientSecret string `json:"-" yaml:"client_secret"`
	// ClientSecretFile is a file with it, for those who keep it apart.
	ClientSecretFile string   `json:"client_secret_file,omitempty" yaml:"client_secret_file"`
	Scopes           []string `json:"scopes,omitempty" yaml:"scopes"`
	Mapping          `yaml:",inline"`
}

// Provider signs browsers in. Its methods may be called from several
// goroutines at once.
type Provider struct {
	config OIDC
	client *http.Client
	now    func() time.Time

	mu    sync.Mutex
	known *oidc.Provider
}

var _ edge.Provider = (*Provider)(nil)

// NewProvider checks the configuration; it asks the provider nothing yet.
func NewProvider(config OIDC, now func() time.Time) (*Provider, error) {
	if config.Issuer == "" || config.ClientID == "" {
		return nil, errors.New("set up sign-in by OIDC: issuer and client_id are needed")
	}
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("set up sign-in by OIDC: %w", err)
	}
	if config.ClientSecretFile != "" {
		text, err := os.ReadFile(config.ClientSecretFile)
		if err != nil {
			return nil, fmt.Errorf("set up sign-in by OIDC: read the client's secret: %w", err)
		}
		config.ClientSecret = strings.TrimSpace(string(text))
	}
	if len(config.Scopes) == 0 {
		config.Scopes = []string{"profile", "email"}
	}
	if !slices.Contains(config.Scopes, oidc.ScopeOpenID) {
		config.Scopes = append([]string{oidc.ScopeOpenID}, config.Scopes...)
	}
	return &Provider{config: config, client: &http.Client{Timeout: askTimeout}, now: now}, nil
}

// provider finds out once where the provider's pages and keys are.
func (p *Provider) provider(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		// The provider keeps the context's client, not its deadline.
		known, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.config.Issuer)
		if err != nil {
			return nil, fmt.Errorf("ask the OpenID provider for its configuration: %w", err)
		}
		p.known = known
	}
	return p.known, nil
}

func (p *Provider) oauth(known *oidc.Provider, redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: known.Endpoint(), RedirectURL: redirect, Scopes: p.config.Scopes,
	}
}

// Start implements edge.Provider.
func (p *Provider) Start(ctx context.Context, flow edge.Flow) (string, error) {
	known, err := p.provider(ctx)
	if err != nil {
		return "", err
	}
	return p.oauth(known, flow.Redirect).AuthCodeURL(flow.State, oidc.Nonce(flow.Nonce), oauth2.S256ChallengeOption(flow.Verifier)), nil
}

// Finish implements edge.Provider.
func (p *Provider) Finish(ctx context.Context, flow edge.Flow, code string) (edge.Identity, error) {
	known, err := p.provider(ctx)
	if err != nil {
		return edge.Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	tokens, err := p.oauth(known, flow.Redirect).Exchange(ctx, code, oauth2.VerifierOption(flow.Verifier))
	if err != nil {
		return edge.Identity{}, fmt.Errorf("exchange the code: %w", err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return edge.Identity{}, errors.New("the provider sent no id_token")
	}
	token, err := known.VerifierContext(ctx, &oidc.Config{ClientID: p.config.ClientID, SupportedSigningAlgs: algorithms(), Now: p.now}).Verify(ctx, raw)
	if err != nil {
		return edge.Identity{}, fmt.Errorf("verify the id_token: %w", err)
	}
	if token.Nonce != flow.Nonce {
		return edge.Identity{}, errors.New("verify the id_token: it was made for another sign-in")
	}
	return p.config.identity(token)
}

// JWT is whose tokens are taken as bearer.
type JWT struct {
	Issuer   string `json:"issuer" yaml:"issuer"`
	Audience string `json:"audience" yaml:"audience"`
	// One of them has the keys.
	JWKSURL  string `json:"jwks_url,omitempty" yaml:"jwks_url"`
	JWKSFile string `json:"jwks_file,omitempty" yaml:"jwks_file"`
	Mapping  `yaml:",inline"`
}

// Bearer judges tokens.
type Bearer struct {
	config   JWT
	verifier *oidc.IDTokenVerifier
}

var _ edge.Bearer = (*Bearer)(nil)

// NewBearer checks the configuration and reads the file of keys, if there is
// one. Keys at a URL are asked for when a first token comes.
func NewBearer(config JWT, now func() time.Time) (*Bearer, error) {
	if config.Issuer == "" || config.Audience == "" || (config.JWKSURL == "") == (config.JWKSFile == "") {
		return nil, errors.New("set up JWT: issuer, audience, and either jwks_url or jwks_file are needed")
	}
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("set up JWT: %w", err)
	}
	keys, err := config.keys()
	if err != nil {
		return nil, fmt.Errorf("set up JWT: %w", err)
	}
	verifier := oidc.NewVerifier(config.Issuer, keys, &oidc.Config{ClientID: config.Audience, SupportedSigningAlgs: algorithms(), Now: now})
	return &Bearer{config, verifier}, nil
}

func (c *JWT) keys() (oidc.KeySet, error) {
	if c.JWKSURL != "" {
		client := &http.Client{Timeout: askTimeout}
		return oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), client), c.JWKSURL), nil
	}
	text, err := os.ReadFile(c.JWKSFile)
	if err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("read the keys of %s: %w", c.JWKSFile, err)
	}
	var keys []crypto.PublicKey
	for i := range set.Keys {
		if key := set.Keys[i].Public(); key.Valid() {
			keys = append(keys, key.Key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s has no public key", c.JWKSFile)
	}
	return &oidc.StaticKeySet{PublicKeys: keys}, nil
}

// Verify implements edge.Bearer.
func (b *Bearer) Verify(ctx context.Context, token string) (edge.Identity, error) {
	verified, err := b.verifier.Verify(ctx, token)
	if err != nil {
		return edge.Identity{}, err
	}
	return b.config.identity(verified)
}
