package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
)

func cloneUser(user data.User) data.User {
	user.Teams = slices.Clone(user.Teams)
	return user
}

func cloneToken(token data.Token) data.Token {
	token.Hash = slices.Clone(token.Hash)
	return token
}

// User implements data.Accounts.
func (s *Store) User(_ context.Context, name string) (data.User, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	user, found := s.users[name]
	if !found {
		return data.User{}, notFound("user", name)
	}
	return cloneUser(user), nil
}

// Users implements data.Accounts.
func (s *Store) Users(context.Context) ([]data.User, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.userList(), nil
}

func (s *Store) userList() []data.User {
	var list []data.User
	for _, name := range slices.Sorted(maps.Keys(s.users)) {
		list = append(list, cloneUser(s.users[name]))
	}
	return list
}

// CreateUser implements data.Accounts.
func (s *Store) CreateUser(_ context.Context, user data.User) (data.User, error) {
	if err := user.Check(); err != nil {
		return data.User{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.users[user.Name]; found {
		return data.User{}, fmt.Errorf("%w: there is a user %s already", engine.ErrConflict, user.Name)
	}
	if len(s.users) >= data.MaxUsers {
		return data.User{}, fmt.Errorf("%w: there are %d users already, and no more can be kept", engine.ErrConflict, data.MaxUsers)
	}
	user.CreatedAt = s.now()
	user.UpdatedAt = user.CreatedAt
	return user, s.commit(func() { s.users[user.Name] = cloneUser(user) })
}

// ChangeUser implements data.Accounts.
func (s *Store) ChangeUser(_ context.Context, name string, change func(*data.User) error) (data.User, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user, found := s.users[name]
	if !found {
		return data.User{}, notFound("user", name)
	}
	user = cloneUser(user)
	if err := change(&user); err != nil {
		return data.User{}, err
	}
	user.Name, user.UpdatedAt = name, s.now()
	if err := user.Check(); err != nil {
		return data.User{}, err
	}
	if err := data.KeepsAdmin(s.userList(), name, &user); err != nil {
		return data.User{}, err
	}
	return user, s.commit(func() { s.users[name] = cloneUser(user) })
}

// DeleteUser implements data.Accounts.
func (s *Store) DeleteUser(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.users[name]; !found {
		return notFound("user", name)
	}
	if err := data.KeepsAdmin(s.userList(), name, nil); err != nil {
		return err
	}
	return s.commit(func() {
		delete(s.users, name)
		maps.DeleteFunc(s.tokens, func(_ string, token data.Token) bool { return token.Owner == name })
		maps.DeleteFunc(s.sessions, func(_ string, session data.Session) bool { return session.Principal == name })
	})
}

// Token implements data.Accounts.
func (s *Store) Token(_ context.Context, id string) (data.Token, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	token, found := s.tokens[id]
	if !found {
		return data.Token{}, notFound("token", id)
	}
	return cloneToken(token), nil
}

// Tokens implements data.Accounts.
func (s *Store) Tokens(_ context.Context, owner string) ([]data.Token, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []data.Token
	for _, token := range s.tokens {
		if owner == "" || token.Owner == owner {
			list = append(list, cloneToken(token))
		}
	}
	slices.SortFunc(list, func(a, b data.Token) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

// CreateToken implements data.Accounts.
func (s *Store) CreateToken(_ context.Context, token data.Token) (data.Token, error) {
	if err := token.Check(); err != nil {
		return data.Token{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.tokens[token.ID]; found {
		return data.Token{}, fmt.Errorf("%w: there is a token %s already", engine.ErrConflict, token.ID)
	}
	if len(s.tokens) >= data.MaxTokens {
		return data.Token{}, fmt.Errorf("%w: there are %d tokens already, and no more can be kept", engine.ErrConflict, data.MaxTokens)
	}
	token.CreatedAt, token.LastUsed = s.now(), time.Time{}
	return token, s.commit(func() { s.tokens[token.ID] = cloneToken(token) })
}

// UseToken implements data.Accounts.
func (s *Store) UseToken(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	token, found := s.tokens[id]
	if !found {
		return notFound("token", id)
	}
	now := s.now()
	if now.Sub(token.LastUsed) < data.UseInterval {
		return nil
	}
	token.LastUsed = now
	return s.commit(func() { s.tokens[id] = token })
}

// DeleteToken implements data.Accounts.
func (s *Store) DeleteToken(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.tokens[id]; !found {
		return notFound("token", id)
	}
	return s.commit(func() { delete(s.tokens, id) })
}

// Sessions implements data.Sessions.
func (s *Store) Sessions(_ context.Context, principal string) ([]data.KeptSession, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []data.KeptSession
	for hash, session := range s.sessions {
		if session.Expires.After(s.now()) && (principal == "" || session.Principal == principal) {
			list = append(list, data.KeptSession{Hash: hash, Session: session})
		}
	}
	slices.SortFunc(list, func(a, b data.KeptSession) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Hash, b.Hash))
	})
	return list, nil
}

// EndSessions implements data.Sessions.
func (s *Store) EndSessions(_ context.Context, principal, keep string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(func() {
		maps.DeleteFunc(s.sessions, func(hash string, session data.Session) bool { return session.Principal == principal && hash != keep })
	})
}

// Rights implements data.WorkflowRights.
func (s *Store) Rights(_ context.Context, workflowID string) (data.Rights, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rights[workflowID].Shown(), nil
}

// SetRights implements data.WorkflowRights.
func (s *Store) SetRights(_ context.Context, workflowID string, rights data.Rights) error {
	if err := rights.Check(); err != nil {
		return err
	}
	rights = rights.Shown()
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workflows[workflowID]
	if w == nil {
		return notFound("workflow", workflowID)
	}
	rights.ChangedAt = s.now()
	next := *w
	next.metadata.SetRights(rights)
	return s.commit(func() { s.workflows[workflowID], s.rights[workflowID] = &next, rights })
}

// RestrictedWorkflows implements data.WorkflowRights.
func (s *Store) RestrictedWorkflows(context.Context) (map[string]data.Rights, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	restricted := maps.Clone(s.rights)
	maps.DeleteFunc(restricted, func(_ string, rights data.Rights) bool { return rights.Shown().Visibility == data.VisibleAll })
	return restricted, nil
}

// AppendAudit implements data.Audit.
func (s *Store) AppendAudit(_ context.Context, record data.AuditRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last data.AuditRecord
	if len(s.audit) > 0 {
		last = s.audit[len(s.audit)-1]
	}
	record.Time = s.now()
	if err := record.Chain(last.Seq, last.Hash); err != nil {
		return err
	}
	return s.commit(func() { s.audit = append(s.audit, record) })
}

// AuditRecords implements data.Audit.
func (s *Store) AuditRecords(_ context.Context, filter data.AuditFilter) (page []data.AuditRecord, next uint64, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := slices.Clone(s.audit)
	if !filter.OldestFirst {
		slices.Reverse(all)
	}
	page = []data.AuditRecord{}
	limit := data.PageLimit(filter.Limit)
	for i := range all {
		r := &all[i]
		behind := filter.After == 0 || (r.Seq < filter.After) != filter.OldestFirst && r.Seq != filter.After
		if !behind || !filter.Match(r) {
			continue
		}
		if len(page) == limit {
			return page, page[limit-1].Seq, nil
		}
		page = append(page, *r)
	}
	return page, 0, nil
}

// checkAudit follows the chain of the audit trail.
func (s *Store) checkAudit(report *data.Report) {
	var last data.AuditRecord
	for i := range s.audit {
		if err := s.audit[i].Follows(last.Seq, last.Hash); err != nil {
			report.Problem(err.Error())
		}
		last = s.audit[i]
		report.Audit++
	}
}
