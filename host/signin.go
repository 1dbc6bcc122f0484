package host

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
)

func (s *Server) addSignIn() {
	tags := []string{"auth"}
	register(s, huma.Operation{
		OperationID: "log-in", Method: http.MethodPost, Path: apiBase + "/auth/login/", Tags: tags,
		Summary: "Sign a browser in", Description: "Sets a session cookie.",
	}, s.logIn)
	register(s, huma.Operation{
		OperationID: "log-out", Method: http.MethodPost, Path: apiBase + "/auth/logout/", Tags: tags, DefaultStatus: http.StatusNoContent,
		Summary: "End the browser's session",
	}, s.logOut)
	registerPlain(s, huma.Operation{
		OperationID: "get-me", Method: http.MethodGet, Path: apiBase + "/auth/me/", Tags: tags, Summary: "Who am I, and what may I do?",
	}, s.getMe)
	registerPlain(s, huma.Operation{
		OperationID: "create-ticket", Method: http.MethodPost, Path: apiBase + "/auth/tickets/", Tags: tags,
		Summary: "Make a ticket for one WebSocket", Description: "Used as ?ticket= once, within 30 seconds.",
	}, s.createTicket)
	registerPlain(s, huma.Operation{
		OperationID: "create-sign-in-link", Method: http.MethodPost, Path: apiBase + "/auth/sign-in-links/", Tags: tags,
		Summary: "Make a link that signs a browser in", Description: "Works once, within 10 minutes.",
	}, s.createSignInLink)
}

type loginInput struct {
	UserAgent string `header:"User-Agent" hidden:"true"`
	Body      struct {
		User     string `json:"user,omitempty" maxLength:"64" doc:"The account's name"`
		Password string `json:"password,omitempty" maxLength:"1024"`
		Token    string `json:"token,omitempty" maxLength:"1024" doc:"The admin token, in the place of both"`
	}
}

type account struct {
	User  string   `json:"user"`
	Role  string   `json:"role"`
	Teams []string `json:"teams" nullable:"false"`
	// Auth is the server's mode.
	Auth      string    `json:"auth" enum:"token,none" doc:"Whether this server asks callers to sign in"`
	Way       string    `json:"signed_in_by" enum:"token,cookie,ticket,none"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"The session's end"`
	// HasPassword and Alone are told by get-me only.
	HasPassword bool `json:"has_password,omitempty" doc:"There is a password that can be changed; missing for who signs in elsewhere, and for the server's own account"`
	Alone       bool `json:"alone,omitempty" doc:"Told to the server's own account: nobody has made another one yet"`
}

type loginOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      account
}

type accountOutput struct{ Body account }

func (s *Server) logIn(ctx context.Context, in *loginInput) (*loginOutput, error) {
	info := infoOf(ctx)
	out := &loginOutput{Body: s.accountOf(edge.Principal{Name: edge.AdminName, Role: edge.Admin, Way: edge.WayNone})}
	if s.signIn.Mode() == edge.ModeNone {
		// Nothing to sign in to; the empty cookie ends one of before.
		out.SetCookie = cookie("", time.Unix(0, 0), info.secure)
		return out, nil
	}
	who, err := s.letIn(ctx, in)
	if err != nil {
		return nil, err
	}
	value, expires, err := s.signIn.Open(ctx, who, in.UserAgent, info.address)
	if err != nil {
		return nil, err
	}
	info.who = who
	who.Way = edge.WayCookie
	out.SetCookie = cookie(value, expires, info.secure)
	out.Body = s.accountOf(who)
	out.Body.ExpiresAt = expires
	return out, nil
}

// letIn judges what somebody signs in with.
func (s *Server) letIn(ctx context.Context, in *loginInput) (edge.Principal, error) {
	info, sent := infoOf(ctx), &in.Body
	switch {
	case sent.Token != "" && (sent.User != "" || sent.Password != ""):
		return edge.Principal{}, problem.InvalidValue("/token", "not_allowed", "sign in with user and password, or with token, not with both")
	case sent.Token != "":
		if err := s.signIn.CheckToken(sent.Token, info.address); err != nil {
			return edge.Principal{}, refusedSignIn(err, "this is not the admin token; API tokens are for programs, which send them as Authorization: Bearer")
		}
		return edge.Server(), nil
	case sent.User == "" || sent.Password == "":
		return edge.Principal{}, problem.InvalidValue("", "required", "sign in with user and password, or with the admin token as token")
	}
	info.object = "users/" + sent.User
	who, err := s.signIn.WithPassword(ctx, sent.User, sent.Password, info.address)
	if err != nil {
		return edge.Principal{}, refusedSignIn(err, "the name or the password is wrong, or the account is disabled")
	}
	return who, nil
}

func refusedSignIn(err error, text string) error {
	if signedOut(err) {
		return problem.New(http.StatusUnauthorized, problem.AuthenticationError, text).Because(err)
	}
	return err
}

func (s *Server) accountOf(who edge.Principal) account {
	return account{User: who.Name, Role: who.Role.String(), Teams: append([]string{}, who.Teams...), Auth: string(s.signIn.Mode()), Way: string(who.Way), ExpiresAt: who.Until()}
}

// cookie is the session's cookie: no script reads it, and no other site's
// page sends it.
func cookie(value string, expires time.Time, secure bool) http.Cookie {
	return http.Cookie{
		Name: sessionCookie, Value: value, Path: "/", Expires: expires, HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode,
	}
}

type logoutInput struct {
	Session string `cookie:"vwmp_session" hidden:"true"`
}

type logoutOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (s *Server) logOut(ctx context.Context, in *logoutInput) (*logoutOutput, error) {
	if err := s.signIn.End(ctx, in.Session); err != nil {
		return nil, err
	}
	s.rejudge()
	return &logoutOutput{cookie("", time.Unix(0, 0), infoOf(ctx).secure)}, nil
}

func (s *Server) getMe(ctx context.Context, _ *struct{}) (*accountOutput, error) {
	out := &accountOutput{s.accountOf(infoOf(ctx).who)}
	if s.Accounts == nil {
		return out, nil
	}
	if out.Body.User == edge.AdminName {
		users, err := s.Accounts.Users(ctx)
		out.Body.Alone = err == nil && len(users) == 0 && s.signIn.Mode() != edge.ModeNone
		return out, err
	}
	user, err := s.Accounts.User(ctx, out.Body.User)
	if errors.Is(err, engine.ErrNotFound) {
		return out, nil
	}
	out.Body.HasPassword = user.Password != ""
	return out, err
}

type ticketOutput struct {
	Body struct {
		Ticket    string    `json:"ticket"`
		ExpiresAt time.Time `json:"expires_at"`
	}
}

func (s *Server) createTicket(ctx context.Context, _ *struct{}) (*ticketOutput, error) {
	out := &ticketOutput{}
	out.Body.Ticket, out.Body.ExpiresAt = s.signIn.NewSocketTicket(infoOf(ctx).who)
	return out, nil
}

type signInLinkOutput struct {
	Body struct {
		URL       string    `json:"url"`
		Ticket    string    `json:"ticket"`
		ExpiresAt time.Time `json:"expires_at"`
	}
}

func (s *Server) createSignInLink(ctx context.Context, _ *struct{}) (*signInLinkOutput, error) {
	info := infoOf(ctx)
	out := &signInLinkOutput{}
	out.Body.Ticket, out.Body.ExpiresAt = s.signIn.NewLinkTicket(info.who)
	scheme := "http://"
	if info.secure {
		scheme = "https://"
	}
	out.Body.URL = signInURL(scheme+info.host, out.Body.Ticket)
	return out, nil
}

// retryAfter is a wait in whole seconds.
func retryAfter(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}

// signInPage takes a ticket, once, and leaves a session.
func (s *Server) signInPage(c *fiber.Ctx) error {
	info := infoOf(c.UserContext())
	ticket := c.Query("ticket")
	switch {
	case s.signIn.Mode() == edge.ModeNone:
		return c.Redirect("/vwmp/", http.StatusSeeOther)
	case ticket == "" || c.Method() == http.MethodHead:
		// A HEAD must not use the ticket up.
		return s.sendSignIn(c, http.StatusOK, "")
	}
	info.action = actionSignIn
	who, err := s.signIn.UseLinkTicket(c.UserContext(), ticket, info.address)
	if err != nil {
		info.detail = "a sign-in link"
		var limited *edge.LimitedError
		if errors.As(err, &limited) {
			c.Set(fiber.HeaderRetryAfter, retryAfter(limited.After))
			return s.sendSignIn(c, http.StatusTooManyRequests, "Too many sign-ins failed from your address. Try again in "+retryAfter(limited.After)+" seconds.")
		}
		if !signedOut(err) {
			return err
		}
		return s.sendSignIn(c, http.StatusUnauthorized, "This link was used before, or is older than 10 minutes. Ask for a new one with vwmp open.")
	}
	value, expires, err := s.signIn.Open(c.UserContext(), who, c.Get(fiber.HeaderUserAgent), info.address)
	if err != nil {
		return err
	}
	who.Way = edge.WayTicket
	info.who, info.object = who, "users/"+who.Name
	made := cookie(value, expires, info.secure)
	c.Set(fiber.HeaderSetCookie, made.String())
	return c.Redirect("/vwmp/", http.StatusSeeOther)
}
