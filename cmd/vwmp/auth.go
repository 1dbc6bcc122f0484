package main

import (
	"bytes"
	"fmt"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/federation"
)

// authConfig says who may come in. In the file it is a word, or an object.
type authConfig struct {
	// Mode is token or none.
	Mode string `json:"mode" yaml:"mode" doc:"token, or none on a loopback address" default:"token"`
	// OIDC and JWT are nil where nobody else vouches for callers.
	OIDC *federation.OIDC `json:"oidc,omitempty" yaml:"oidc" doc:"sign-in of browsers elsewhere; see accounts.md"`
	JWT  *federation.JWT  `json:"jwt,omitempty" yaml:"jwt" doc:"tokens of an issuer that are taken as bearer; see accounts.md"`
}

// UnmarshalYAML reads either form.
func (a *authConfig) UnmarshalYAML(text []byte) error {
	if word := ""; yaml.Unmarshal(text, &word) == nil {
		a.Mode = word
		return nil
	}
	type object authConfig
	read := object{Mode: "token"}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.DisallowUnknownField()).Decode(&read); err != nil {
		return err
	}
	*a = authConfig(read)
	return nil
}

// String tells the values in force, without secrets.
func (a *authConfig) String() string {
	text := a.Mode
	if a.OIDC != nil {
		text += ", OIDC by " + a.OIDC.Issuer
	}
	if a.JWT != nil {
		text += ", JWT of " + a.JWT.Issuer
	}
	return text
}

// federation makes what lets in those whom somebody else vouches for; nil
// where that is not configured.
func (a *authConfig) federation() (provider edge.Provider, bearer edge.Bearer, err error) {
	if a.Mode == string(edge.ModeNone) && (a.OIDC != nil || a.JWT != nil) {
		return nil, nil, fmt.Errorf("auth: mode none asks nobody to sign in, so that oidc and jwt would do nothing; take them out, or set mode to token")
	}
	if a.OIDC != nil {
		if provider, err = federation.NewProvider(*a.OIDC, time.Now); err != nil {
			return nil, nil, fmt.Errorf("auth.oidc: %w", err)
		}
	}
	if a.JWT != nil {
		if bearer, err = federation.NewBearer(*a.JWT, time.Now); err != nil {
			return nil, nil, fmt.Errorf("auth.jwt: %w", err)
		}
	}
	return provider, bearer, nil
}
