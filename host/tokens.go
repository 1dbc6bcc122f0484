package host

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

func (s *Server) addTokens(tags []string) {
	const all, one = apiBase + "/auth/tokens/", apiBase + "/auth/tokens/{id}/"
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "list-tokens", Method: http.MethodGet, Path: all, Tags: tags, Summary: "List API tokens, without their secrets",
			Description: "One's own; administrators also see those of others.",
			Parameters:  []*huma.Param{query("user", huma.TypeString, "Those of this account, or of all (*); for administrators")},
		},
		answers: map[int]any{http.StatusOK: tokenList{}}, serve: s.listTokens,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "create-token", Method: http.MethodPost, Path: all, Tags: tags, Summary: "Make an API token",
			Description: "The answer is the only one that shows it. It may do what its role says, and never more than its owner.",
		},
		body: newToken{}, answers: map[int]any{http.StatusCreated: madeToken{}}, serve: s.createToken,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "revoke-token", Method: http.MethodDelete, Path: one, Tags: tags, Summary: "Revoke an API token",
			Description: "It counts at once, for open connections too.",
		},
		answers: map[int]any{http.StatusNoContent: nil}, serve: s.revokeToken,
	})
}

// APIToken is a token without its secret. It is exported only so that the
// description sees its fields where it is part of another.
type APIToken struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Owner     string    `json:"owner"`
	Role      string    `json:"role" enum:"viewer,executor,editor,admin"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"Missing for one that does not expire"`
	LastUsed  time.Time `json:"last_used,omitzero" doc:"To the minute; missing for one that was never used"`
}

func apiTokenOf(t *data.Token) APIToken {
	return APIToken{ID: t.ID, Name: t.Name, Owner: t.Owner, Role: t.Role, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsed: t.LastUsed}
}

type tokenList struct {
	Tokens []APIToken `json:"tokens" nullable:"false"`
	Next   string     `json:"next" doc:"Always empty: the list comes whole"`
}

// ownerAsked is whose tokens or sessions a caller asks for: one's own, or as
// an administrator those of others. Empty is of all.
func ownerAsked(c *fiber.Ctx) (string, error) {
	who, asked := infoOf(c.UserContext()).who, c.Query("user")
	switch {
	case asked == "" || asked == who.Name:
		return who.Name, nil
	case !who.May(edge.Admin):
		return "", problem.New(http.StatusForbidden, problem.AuthorizationError, "what belongs to others is for administrators")
	case asked == "*":
		return "", nil
	}
	return asked, nil
}

func (s *Server) listTokens(c *fiber.Ctx, _ any) (int, any, error) {
	if err := s.kept(); err != nil {
		return 0, nil, err
	}
	owner, err := ownerAsked(c)
	if err != nil {
		return 0, nil, err
	}
	tokens, err := s.Accounts.Tokens(c.UserContext(), owner)
	list := tokenList{Tokens: make([]APIToken, len(tokens))}
	for i := range tokens {
		list.Tokens[i] = apiTokenOf(&tokens[i])
	}
	return http.StatusOK, list, err
}

type newToken struct {
	Name      string  `json:"name" minLength:"1" maxLength:"200" doc:"What it is for"`
	Role      string  `json:"role" enum:"viewer,executor,editor,admin"`
	User      string  `json:"user,omitempty" maxLength:"64" doc:"The account that it acts for, one's own by default; for administrators"`
	ExpiresIn float64 `json:"expires_in,omitempty" minimum:"0" maximum:"315360000" doc:"Seconds until it expires; 0 is never"`
}

type madeToken struct {
	APIToken
	Token string `json:"token" doc:"The token itself; it is not shown again"`
}

func (s *Server) createToken(c *fiber.Ctx, body any) (int, any, error) {
	ctx := c.UserContext()
	if err := s.kept(); err != nil {
		return 0, nil, err
	}
	info := infoOf(ctx)
	sent, _ := body.(*newToken)
	owner := sent.User
	if owner == "" {
		owner = info.who.Name
	}
	switch {
	case info.who.OfToken():
		return 0, nil, problem.New(http.StatusForbidden, problem.AuthorizationError, "an API token can't make others; sign in, or use the admin token")
	case owner != info.who.Name && !info.who.May(edge.Admin):
		return 0, nil, problem.New(http.StatusForbidden, problem.AuthorizationError, "tokens for others are made by administrators")
	case owner != edge.AdminName:
		if _, err := s.Accounts.User(ctx, owner); err != nil {
			if errors.Is(err, engine.ErrNotFound) {
				return 0, nil, problem.InvalidValue("/user", "unknown_user", "there is no such account").Because(err)
			}
			return 0, nil, err
		}
	}
	token := data.Token{Name: sent.Name, Owner: owner, Role: sent.Role}
	if sent.ExpiresIn > 0 {
		token.ExpiresAt = s.now().UTC().Add(time.Duration(sent.ExpiresIn * float64(time.Second)))
	}
	made, value, err := s.signIn.NewToken(ctx, token)
	if err != nil {
		return 0, nil, err
	}
	info.object, info.detail = "tokens/"+made.ID, "of "+made.Owner+", role "+made.Role
	return http.StatusCreated, madeToken{apiTokenOf(&made), value}, nil
}

func noToken() *problem.Problem {
	return problem.New(http.StatusNotFound, problem.NotFound, "there is no token of this id")
}

func (s *Server) revokeToken(c *fiber.Ctx, _ any) (int, any, error) {
	ctx, id := c.UserContext(), c.Params("id")
	if err := s.kept(); err != nil {
		return 0, nil, err
	}
	token, err := s.Accounts.Token(ctx, id)
	who := infoOf(ctx).who
	if err == nil && token.Owner != who.Name && !who.May(edge.Admin) {
		return 0, nil, noToken()
	}
	if err == nil {
		err = s.Accounts.DeleteToken(ctx, id)
	}
	if errors.Is(err, engine.ErrNotFound) {
		return 0, nil, noToken().Because(err)
	}
	infoOf(ctx).detail = "of " + token.Owner
	s.rejudge()
	return http.StatusNoContent, nil, err
}

func (s *Server) addSessions(tags []string) {
	const all, one = apiBase + "/auth/sessions/", apiBase + "/auth/sessions/{id}/"
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "list-sessions", Method: http.MethodGet, Path: all, Tags: tags, Summary: "List the browsers that are signed in",
			Description: "One's own; administrators also see those of others.",
			Parameters:  []*huma.Param{query("user", huma.TypeString, "Those of this account, or of all (*); for administrators")},
		},
		answers: map[int]any{http.StatusOK: sessionList{}}, serve: s.listSessions,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "end-session", Method: http.MethodDelete, Path: one, Tags: tags, Summary: "Sign a browser out",
			Description: "It counts at once, for open connections too.",
		},
		answers: map[int]any{http.StatusNoContent: nil}, serve: s.endSession,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "change-password", Method: http.MethodPost, Path: apiBase + "/auth/password/", Tags: tags, Summary: "Change the own password",
			Description: "It ends all other sessions of the account.",
		},
		body: passwordChange{}, answers: map[int]any{http.StatusNoContent: nil}, serve: s.changePassword,
	})
}

type shownSession struct {
	ID        string    `json:"id"`
	User      string    `json:"user"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	UserAgent string    `json:"user_agent"`
	Address   string    `json:"address"`
	Current   bool      `json:"current" doc:"The one that asks"`
}

type sessionList struct {
	Sessions []shownSession `json:"sessions" nullable:"false"`
	Next     string         `json:"next" doc:"Always empty: the list comes whole"`
}

// sessionID names a session without opening it: its cookie can't be made from
// the hash.
func sessionID(hash string) string { return hash[:min(len(hash), 16)] }

func (s *Server) listSessions(c *fiber.Ctx, _ any) (int, any, error) {
	if err := s.kept(); err != nil {
		return 0, nil, err
	}
	owner, err := ownerAsked(c)
	if err != nil {
		return 0, nil, err
	}
	ctx := c.UserContext()
	sessions, err := s.Sessions.Sessions(ctx, owner)
	list := sessionList{Sessions: make([]shownSession, len(sessions))}
	for i, kept := range sessions {
		list.Sessions[i] = shownSession{
			ID: sessionID(kept.Hash), User: kept.Principal, CreatedAt: kept.CreatedAt, ExpiresAt: kept.Expires,
			UserAgent: kept.UserAgent, Address: kept.Address, Current: kept.Hash == infoOf(ctx).who.SessionHash(),
		}
	}
	return http.StatusOK, list, err
}

func (s *Server) endSession(c *fiber.Ctx, _ any) (int, any, error) {
	if err := s.kept(); err != nil {
		return 0, nil, err
	}
	ctx := c.UserContext()
	who, of := infoOf(ctx).who, ""
	if !who.May(edge.Admin) {
		of = who.Name
	}
	sessions, err := s.Sessions.Sessions(ctx, of)
	if err != nil {
		return 0, nil, err
	}
	for _, kept := range sessions {
		if sessionID(kept.Hash) != c.Params("id") {
			continue
		}
		if err := s.Sessions.DeleteSession(ctx, kept.Hash); err != nil {
			return 0, nil, err
		}
		infoOf(ctx).detail = "of " + kept.Principal
		s.rejudge()
		return http.StatusNoContent, nil, nil
	}
	return 0, nil, problem.New(http.StatusNotFound, problem.NotFound, "there is no session of this id")
}

type passwordChange struct {
	Current  string `json:"current" maxLength:"1024" doc:"The password until now"`
	Password string `json:"password" maxLength:"1024" doc:"At least 10 characters"`
}

func (s *Server) changePassword(c *fiber.Ctx, body any) (int, any, error) {
	if err := s.kept(); err != nil {
		return 0, nil, err
	}
	ctx := c.UserContext()
	info := infoOf(ctx)
	sent, _ := body.(*passwordChange)
	info.object = "users/" + info.who.Name
	if info.who.OfToken() {
		return 0, nil, problem.New(http.StatusForbidden, problem.AuthorizationError, "an API token can't change a password; sign in")
	}
	if err := s.changeOwn(ctx, info, sent); err != nil {
		return 0, nil, userMissing(err)
	}
	s.rejudge()
	return http.StatusNoContent, nil, nil
}

func (s *Server) changeOwn(ctx context.Context, info *requestInfo, sent *passwordChange) error {
	if err := s.signIn.PasswordFits(ctx, info.who.Name, sent.Current, info.address); err != nil {
		if signedOut(err) {
			return problem.New(http.StatusForbidden, problem.AuthorizationError, "this is not your password until now").Because(err)
		}
		return err
	}
	hash, err := s.newPassword(ctx, "/password", sent.Password)
	if err != nil {
		return err
	}
	if _, err := s.Accounts.ChangeUser(ctx, info.who.Name, func(user *data.User) error { user.Password = hash; return nil }); err != nil {
		return err
	}
	return s.Sessions.EndSessions(ctx, info.who.Name, info.who.SessionHash())
}
