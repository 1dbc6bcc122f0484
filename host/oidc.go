package host

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/store/data"
)

const (
	oidcStart    = apiBase + "/auth/oidc/start/"
	oidcCallback = apiBase + "/auth/oidc/callback/"
	// flowCookie binds a sign-in to the browser that began it. It must come
	// along when the provider sends the browser back, from another site.
	flowCookie = "vwmp_oidc"
	flowLife   = 10 * time.Minute
	maxFlows   = 1000
)

// flows are the sign-ins that are at the provider.
type flows struct {
	mu    sync.Mutex
	out   map[string]pendingFlow
	order []string
}

type pendingFlow struct {
	edge.Flow
	// browser is the hash of the cookie.
	browser [sha256.Size]byte
	expires time.Time
	// next is the page that the browser wants once it is signed in.
	next string
}

// put keeps a flow; the oldest give way where there are too many.
func (f *flows) put(flow pendingFlow, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.out == nil {
		f.out = map[string]pendingFlow{}
	}
	for len(f.order) > 0 && (len(f.order) >= maxFlows || !now.Before(f.out[f.order[0]].expires)) {
		delete(f.out, f.order[0])
		f.order = f.order[1:]
	}
	f.out[flow.State] = flow
	f.order = append(f.order, flow.State)
}

// take returns a flow once, to the browser that began it.
func (f *flows) take(state, cookie string, now time.Time) (pendingFlow, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept, found := f.out[state]
	given := sha256.Sum256([]byte(cookie))
	if !found || subtle.ConstantTimeCompare(given[:], kept.browser[:]) != 1 {
		return pendingFlow{}, false
	}
	delete(f.out, state)
	return kept, now.Before(kept.expires)
}

func (s *Server) addOIDC() {
	s.add(http.MethodGet, oidcStart, s.startOIDC)
	s.add(http.MethodGet, oidcCallback, s.finishOIDC)
}

// startOIDC sends the browser to the provider.
func (s *Server) startOIDC(c *fiber.Ctx) error {
	if s.Provider == nil || s.signIn.Mode() == edge.ModeNone {
		return fiber.ErrNotFound
	}
	info := infoOf(c.UserContext())
	scheme := "http://"
	if info.secure {
		scheme = "https://"
	}
	browser := rand.Text()
	flow := pendingFlow{
		Flow:    edge.Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), Redirect: scheme + info.host + oidcCallback},
		browser: sha256.Sum256([]byte(browser)), expires: s.now().Add(flowLife), next: localPath(c.Query("next")),
	}
	to, err := s.Provider.Start(c.UserContext(), flow.Flow)
	if err != nil {
		s.log.Error("sign-in by OIDC can't begin", "request_id", info.id, "error", err)
		return s.sendSignIn(c, http.StatusBadGateway, "The OpenID provider does not answer. The server's log says more.")
	}
	s.flows.put(flow, s.now())
	made := flowCookieOf(browser, s.now().Add(flowLife), info.secure)
	c.Set(fiber.HeaderSetCookie, made.String())
	return c.Redirect(to, http.StatusSeeOther)
}

func flowCookieOf(value string, expires time.Time, secure bool) http.Cookie {
	return http.Cookie{ //nolint:gosec // Lax, as the provider sends the browser from another site; Secure where there is TLS.
		Name: flowCookie, Value: value, Path: apiBase + "/auth/oidc/", Expires: expires, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// finishOIDC takes a browser back from the provider.
func (s *Server) finishOIDC(c *fiber.Ctx) error {
	if s.Provider == nil || s.signIn.Mode() == edge.ModeNone {
		return fiber.ErrNotFound
	}
	info := infoOf(c.UserContext())
	info.action, info.detail = actionSignIn, "by OIDC"
	flow, good := s.flows.take(c.Query("state"), c.Cookies(flowCookie), s.now())
	switch {
	case !good:
		return s.sendSignIn(c, http.StatusUnauthorized, "This sign-in was begun elsewhere, was used before, or took longer than 10 minutes. Begin anew.")
	case c.Query("code") == "":
		return s.sendSignIn(c, http.StatusUnauthorized, "The OpenID provider did not sign you in.")
	}
	id, err := s.Provider.Finish(c.UserContext(), flow.Flow, c.Query("code"))
	if err != nil {
		return s.refuseOIDC(c, err)
	}
	info.object = "users/" + id.Name
	who, err := s.signIn.Vouched(c.UserContext(), id)
	if err != nil {
		return s.refuseOIDC(c, err)
	}
	// The role may be another one than before.
	s.rejudge()
	value, expires, err := s.signIn.Open(c.UserContext(), who, c.Get(fiber.HeaderUserAgent), info.address)
	if err != nil {
		return err
	}
	info.who = who
	session, spent := cookie(value, expires, info.secure), flowCookieOf("", time.Unix(0, 0), info.secure)
	c.Response().Header.Add(fiber.HeaderSetCookie, session.String())
	c.Response().Header.Add(fiber.HeaderSetCookie, spent.String())
	return c.Redirect(cmp.Or(flow.next, "/vwmp/"), http.StatusSeeOther)
}

// refuseOIDC says why somebody is not let in, as far as it helps them.
func (s *Server) refuseOIDC(c *fiber.Ctx, err error) error {
	info := infoOf(c.UserContext())
	s.log.Warn("a sign-in by OIDC was refused", "request_id", info.id, "error", err)
	var taken *edge.TakenError
	var without *edge.NoRoleError
	switch {
	case errors.As(err, &without):
		return s.sendSignIn(c, http.StatusForbidden, "You are known to the OpenID provider, but you have no role here. Ask an administrator.")
	case errors.As(err, &taken):
		return s.sendSignIn(c, http.StatusForbidden, "There is another account of your name. Ask an administrator.")
	case errors.Is(err, data.ErrLastAdmin):
		return s.sendSignIn(c, http.StatusForbidden, "You are the last administrator, and the OpenID provider says that you are none. Ask for the admin token.")
	case signedOut(err):
		return s.sendSignIn(c, http.StatusForbidden, "Your account is disabled. Ask an administrator.")
	}
	return s.sendSignIn(c, http.StatusUnauthorized, "The OpenID provider's answer can't be used. The server's log says more.")
}
