package main

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

// authConfig signs in to an https remote.
type authConfig struct {
	Username string `json:"username" title:"User name" description:"The user the token belongs to; many servers take any name." default:"x-access-token" example:"x-access-token"`
	Token    string `json:"token" title:"Token" description:"A token or password, by reference to a secret. It is handed to git by its environment and stored nowhere." secret:"true" example:"${secrets.GIT_TOKEN}"`
}

var (
	scpAddress      = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9\[][A-Za-z0-9.:\]-]*:[^-:][^:]*$`)
	transportHelper = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+.-]*::`)
	hasScheme       = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
	// A bare user name in https may be a token, that of ssh is no secret.
	webUserinfo = regexp.MustCompile(`(?i)(https?://)[^/\s'"]+@`)
	anyPassword = regexp.MustCompile(`(?i)([a-z][a-z0-9+.-]*://[^:/\s@'"]*):[^/\s'"]*@`)
)

// checkAddress refuses an address that git could take for an option, for a
// program to run, or for a place on this machine. Local paths are for the
// remotes that a workspace's own repository has in its configuration.
func checkAddress(pointer, address string, isOwnRemote bool) error {
	refuse := func(reason string) error {
		return pluginsdk.Invalid(pointer, fmt.Sprintf("the address %q can't be used: %s", redactAddresses(address), reason))
	}
	switch {
	case address == "":
		return refuse("it is empty")
	case strings.HasPrefix(address, "-"):
		return refuse("it begins with a dash")
	case strings.ContainsFunc(address, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return refuse("it has a control character")
	case transportHelper.MatchString(address):
		return refuse("remote helpers (NAME::…) can run programs")
	}
	if hasScheme.MatchString(address) {
		return checkURL(address, isOwnRemote, refuse)
	}
	// What has :// is a URL to git, whatever stands before it.
	if (scpAddress.MatchString(address) && !strings.Contains(address, "://")) || isOwnRemote {
		return nil
	}
	return refuse("use https://…, ssh://… or user@host:path")
}

func checkURL(address string, isOwnRemote bool, refuse func(string) error) error {
	parsed, err := url.Parse(address)
	if err != nil {
		// url.Parse repeats the whole address, password included.
		return refuse("it is not a well-formed URL")
	}
	scheme := strings.ToLower(parsed.Scheme)
	switch {
	case scheme == "file" && isOwnRemote:
		return nil
	case scheme != "https" && scheme != "ssh":
		return refuse("only https and ssh are allowed, not " + scheme)
	case parsed.Hostname() == "":
		return refuse("it names no host")
	case strings.HasPrefix(parsed.Hostname(), "-") || strings.HasPrefix(parsed.User.Username(), "-"):
		return refuse("its host or user begins with a dash")
	case strings.HasPrefix(strings.TrimLeft(parsed.Path, "/"), "-"):
		return refuse("its path begins with a dash")
	}
	return nil
}

// splitCredentials takes the user and password out of an https URL, so that
// git stores neither.
func splitCredentials(address string) (clean string, auth authConfig) {
	parsed, err := url.Parse(address)
	if err != nil || !strings.EqualFold(parsed.Scheme, "https") || parsed.User == nil {
		return address, authConfig{}
	}
	auth.Username = parsed.User.Username()
	password, hasPassword := parsed.User.Password()
	auth.Token = password
	if !hasPassword {
		auth.Username, auth.Token = "x-access-token", auth.Username
	}
	parsed.User = nil
	return parsed.String(), auth
}

// header is the configuration that sends auth to the host of address only.
func (a authConfig) header(address string) (key, value string, err error) {
	parsed, parseErr := url.Parse(address)
	if parseErr != nil || !strings.EqualFold(parsed.Scheme, "https") {
		return "", "", pluginsdk.Invalid("/auth", "a token works with https addresses only; ssh signs in with keys")
	}
	key = "http.https://" + parsed.Host + "/.extraHeader"
	return key, "Authorization: Basic " + a.basic(), nil
}

func (a authConfig) basic() string {
	return base64.StdEncoding.EncodeToString([]byte(a.Username + ":" + a.Token))
}

// secrets lists the forms in which the token must not be seen.
func (a authConfig) secrets() []string {
	if a.Token == "" {
		return nil
	}
	return []string{
		a.Token, a.basic(), base64.StdEncoding.EncodeToString([]byte(a.Token)),
		url.QueryEscape(a.Token), url.PathEscape(a.Token),
	}
}

// redactAddresses blanks user names and passwords of URLs in a text.
func redactAddresses(text string) string {
	text = webUserinfo.ReplaceAllString(text, "${1}***@")
	return anyPassword.ReplaceAllString(text, "${1}:***@")
}

// checkRef refuses a branch, tag or revision that git could take for an
// option or for more than one argument.
func checkRef(pointer, ref string) error {
	switch {
	case strings.HasPrefix(ref, "-"):
		return pluginsdk.Invalid(pointer, fmt.Sprintf("the name %q can't be used: it begins with a dash", ref))
	case strings.ContainsFunc(ref, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return pluginsdk.Invalid(pointer, fmt.Sprintf("the name %q can't be used: it has a space or a control character", ref))
	}
	return nil
}
