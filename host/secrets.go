package host

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/secret"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

// Secrets is where administrators keep secrets.
type Secrets interface {
	// Secrets lists all by name, without their values.
	Secrets(ctx context.Context) ([]data.Secret, error)
	// SetSecret keeps or replaces one; created is true for a new name. Its
	// error is a *engine.ProblemsError for what can't be one.
	SetSecret(ctx context.Context, name string, value secret.Value) (created bool, err error)
	// DeleteSecret is an engine.ErrNotFound for a name that nobody has set.
	DeleteSecret(ctx context.Context, name string) error
}

func (s *Server) addSecrets() {
	tags := []string{"secrets"}
	registerPlain(s, huma.Operation{
		OperationID: "list-secrets", Method: http.MethodGet, Path: apiBase + "/secrets/", Tags: tags,
		Summary: "List the names of the secrets", Description: "Nothing shows a value, once it is set.",
	}, s.listSecrets)
	s.addSecretUsage(tags)
	register(s, huma.Operation{
		OperationID: "set-secret", Method: http.MethodPut, Path: apiBase + "/secrets/{name}/", Tags: tags, DefaultStatus: http.StatusNoContent,
		Summary: "Set a secret", Description: "201 for a new name, 204 for a new value. Steps refer to it as ${secrets.NAME}.",
		Responses: map[string]*huma.Response{"201": {Description: "The secret is new"}},
	}, s.setSecret)
	registerPlain(s, huma.Operation{
		OperationID: "delete-secret", Method: http.MethodDelete, Path: apiBase + "/secrets/{name}/", Tags: tags, DefaultStatus: http.StatusNoContent,
		Summary: "Delete a secret", Description: "Steps that refer to it fail with SECRET_NOT_FOUND from then on.",
	}, s.deleteSecret)
}

type shownSecret struct {
	Name      string    `json:"name"`
	UpdatedAt time.Time `json:"updated_at"`
}

type listSecretsOutput struct {
	Body struct {
		Secrets []shownSecret `json:"secrets" nullable:"false"`
		Next    string        `json:"next" doc:"Always empty: all are on one page"`
	}
}

func (s *Server) listSecrets(ctx context.Context, _ *struct{}) (*listSecretsOutput, error) {
	out := &listSecretsOutput{}
	out.Body.Secrets = []shownSecret{}
	if s.Secrets == nil {
		return out, nil
	}
	list, err := s.Secrets.Secrets(ctx)
	if err != nil {
		return nil, err
	}
	for _, kept := range list {
		out.Body.Secrets = append(out.Body.Secrets, shownSecret{kept.Name, kept.UpdatedAt})
	}
	return out, nil
}

type setSecretInput struct {
	Name string `path:"name" maxLength:"100"`
	Body struct {
		Value string `json:"value" doc:"The secret, 1 to 65,536 bytes of text"`
	}
}

type setSecretOutput struct{ Status int }

func (s *Server) setSecret(ctx context.Context, in *setSecretInput) (*setSecretOutput, error) {
	if s.Secrets == nil {
		return nil, problem.New(http.StatusServiceUnavailable, problem.Unavailable, "this server keeps no secrets")
	}
	created, err := s.Secrets.SetSecret(ctx, in.Name, secret.NewValue(in.Body.Value))
	if err != nil {
		return nil, err
	}
	if created {
		return &setSecretOutput{http.StatusCreated}, nil
	}
	return &setSecretOutput{http.StatusNoContent}, nil
}

type deleteSecretInput struct {
	Name string `path:"name" maxLength:"100"`
}

func (s *Server) deleteSecret(ctx context.Context, in *deleteSecretInput) (*struct{}, error) {
	missing := problem.New(http.StatusNotFound, problem.NotFound, "there is no secret of this name")
	if s.Secrets == nil {
		return nil, missing
	}
	err := s.Secrets.DeleteSecret(ctx, in.Name)
	if errors.Is(err, engine.ErrNotFound) || errors.Is(err, data.ErrInvalid) {
		return nil, missing.Because(err)
	}
	return nil, err
}
