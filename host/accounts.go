package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

func (s *Server) addAccounts() {
	s.addUsers([]string{"accounts"})
	s.addTokens([]string{"auth"})
	s.addSessions([]string{"auth"})
}

func (s *Server) addUsers(tags []string) {
	const all, one = apiBase + "/users/", apiBase + "/users/{name}/"
	s.addAction(action{
		Operation: huma.Operation{OperationID: "list-users", Method: http.MethodGet, Path: all, Tags: tags, Summary: "List the accounts by name"},
		answers:   map[int]any{http.StatusOK: userList{}}, serve: s.listUsers,
	})
	s.addAction(action{
		Operation: huma.Operation{OperationID: "create-user", Method: http.MethodPost, Path: all, Tags: tags, Summary: "Make an account"},
		body:      newUser{}, answers: map[int]any{http.StatusCreated: shownUser{}}, serve: s.createUser,
	})
	s.addAction(action{
		Operation: huma.Operation{OperationID: "get-user", Method: http.MethodGet, Path: one, Tags: tags, Summary: "Get an account"},
		answers:   map[int]any{http.StatusOK: shownUser{}}, serve: s.getUser,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "update-user", Method: http.MethodPut, Path: one, Tags: tags, Summary: "Change an account",
			Description: "What is left out stays as it is. The change counts at once, for open connections too. A new password ends all sessions of the account.",
		},
		body: userChange{}, answers: map[int]any{http.StatusOK: shownUser{}}, serve: s.updateUser,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "delete-user", Method: http.MethodDelete, Path: one, Tags: tags, Summary: "Remove an account with its tokens and sessions",
			Description: "409 for the last administrator.",
		},
		answers: map[int]any{http.StatusNoContent: nil}, serve: s.deleteUser,
	})
}

// shownUser is an account as the API shows it: without its password's hash.
type shownUser struct {
	Name        string    `json:"name"`
	Role        string    `json:"role" enum:"viewer,executor,editor,admin"`
	Teams       []string  `json:"teams" nullable:"false"`
	Disabled    bool      `json:"disabled"`
	HasPassword bool      `json:"has_password" doc:"false for one who signs in elsewhere"`
	Issuer      string    `json:"issuer,omitempty" doc:"Who vouches for one who signs in elsewhere"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

func shownUserOf(user *data.User) shownUser {
	return shownUser{
		Name: user.Name, Role: user.Role, Teams: append([]string{}, user.Teams...), Disabled: user.Disabled, HasPassword: user.Password != "",
		Issuer: user.Issuer, CreatedAt: user.CreatedAt, UpdatedAt: user.UpdatedAt,
	}
}

type userList struct {
	Users []shownUser `json:"users" nullable:"false"`
	Next  string      `json:"next" doc:"Always empty: the list comes whole"`
}

// kept refuses what needs accounts where none are kept.
func (s *Server) kept() error {
	if s.Accounts == nil || s.signIn.Mode() == edge.ModeNone && s.Sessions == nil {
		return problem.New(http.StatusServiceUnavailable, problem.Unavailable, "this server keeps no accounts")
	}
	return nil
}

func userMissing(err error) error {
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return problem.New(http.StatusNotFound, problem.NotFound, "there is no account of this name").Because(err)
	case errors.Is(err, data.ErrLastAdmin):
		return problem.New(http.StatusConflict, problem.Conflict, data.ErrLastAdmin.Error()).Because(err)
	}
	return err
}

func (s *Server) listUsers(c *fiber.Ctx, _ any) (int, any, error) {
	if err := s.kept(); err != nil {
		return 0, nil, err
	}
	users, err := s.Accounts.Users(c.UserContext())
	list := userList{Users: make([]shownUser, len(users))}
	for i := range users {
		list.Users[i] = shownUserOf(&users[i])
	}
	return http.StatusOK, list, err
}

func (s *Server) getUser(c *fiber.Ctx, _ any) (int, any, error) {
	if err := s.kept(); err != nil {
		return 0, nil, err
	}
	user, err := s.Accounts.User(c.UserContext(), c.Params("name"))
	return http.StatusOK, shownUserOf(&user), userMissing(err)
}

type newUser struct {
	Name     string   `json:"name" maxLength:"64" doc:"Lower-case letters, digits and . _ @ -"`
	Role     string   `json:"role" enum:"viewer,executor,editor,admin"`
	Teams    []string `json:"teams,omitempty" maxItems:"100"`
	Password string   `json:"password,omitempty" maxLength:"1024" doc:"At least 10 characters; without one the account can only have tokens, or sign in elsewhere"`
}

func (s *Server) createUser(c *fiber.Ctx, body any) (int, any, error) {
	ctx := c.UserContext()
	if err := s.kept(); err != nil {
		return 0, nil, err
	}
	sent, _ := body.(*newUser)
	infoOf(ctx).object = "users/" + sent.Name
	if sent.Name == edge.AdminName {
		return 0, nil, problem.InvalidValue("/name", "reserved", "the name admin belongs to the server's own account, the holder of the admin token; choose your own name, with the role admin")
	}
	user := data.User{Name: sent.Name, Role: sent.Role, Teams: sent.Teams}
	if err := user.Check(); err != nil {
		return 0, nil, err
	}
	var err error
	if sent.Password != "" {
		if user.Password, err = s.newPassword(ctx, "/password", sent.Password); err != nil {
			return 0, nil, err
		}
	}
	user, err = s.Accounts.CreateUser(ctx, user)
	if err != nil {
		return 0, nil, err
	}
	infoOf(ctx).detail = "role " + user.Role
	c.Set(fiber.HeaderLocation, apiBase+"/users/"+user.Name+"/")
	return http.StatusCreated, shownUserOf(&user), nil
}

// newPassword makes the hash of a password that is good enough.
func (s *Server) newPassword(ctx context.Context, pointer, password string) (string, error) {
	if err := edge.CheckPassword(password); err != nil {
		return "", problem.InvalidValue(pointer, "weak", err.Error())
	}
	return s.signIn.HashPassword(ctx, password)
}

type userChange struct {
	Role     *string   `json:"role,omitempty" enum:"viewer,executor,editor,admin"`
	Teams    *[]string `json:"teams,omitempty" maxItems:"100"`
	Disabled *bool     `json:"disabled,omitempty"`
	Password *string   `json:"password,omitempty" maxLength:"1024"`
}

func (s *Server) updateUser(c *fiber.Ctx, body any) (int, any, error) {
	ctx, name := c.UserContext(), c.Params("name")
	if err := s.kept(); err != nil {
		return 0, nil, err
	}
	sent, _ := body.(*userChange)
	var hash string
	var err error
	if sent.Password != nil {
		if hash, err = s.newPassword(ctx, "/password", *sent.Password); err != nil {
			return 0, nil, err
		}
	}
	user, err := s.Accounts.ChangeUser(ctx, name, func(user *data.User) error {
		if sent.Role != nil {
			user.Role = *sent.Role
		}
		if sent.Teams != nil {
			user.Teams = *sent.Teams
		}
		if sent.Disabled != nil {
			user.Disabled = *sent.Disabled
		}
		if hash != "" {
			user.Password = hash
		}
		return nil
	})
	if err != nil {
		return 0, nil, userMissing(err)
	}
	infoOf(ctx).detail = sent.String()
	if hash != "" || user.Disabled {
		if err := s.Sessions.EndSessions(ctx, name, ""); err != nil {
			return 0, nil, err
		}
	}
	s.rejudge()
	return http.StatusOK, shownUserOf(&user), nil
}

// String tells the audit trail what was changed.
func (u *userChange) String() string {
	var said []string
	if u.Role != nil {
		said = append(said, "role "+*u.Role)
	}
	if u.Teams != nil {
		said = append(said, "teams "+strings.Join(*u.Teams, " "))
	}
	if u.Disabled != nil {
		said = append(said, fmt.Sprintf("disabled %t", *u.Disabled))
	}
	if u.Password != nil {
		said = append(said, "a new password")
	}
	return strings.Join(said, ", ")
}

func (s *Server) deleteUser(c *fiber.Ctx, _ any) (int, any, error) {
	if err := s.kept(); err != nil {
		return 0, nil, err
	}
	err := s.Accounts.DeleteUser(c.UserContext(), c.Params("name"))
	if err == nil {
		s.rejudge()
	}
	return http.StatusNoContent, nil, userMissing(err)
}
