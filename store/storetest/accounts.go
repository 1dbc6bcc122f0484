package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
)

var accountCases = []testCase{
	{name: "a user is made once, changed and deleted", run: users},
	{name: "the last administrator stays", run: lastAdmin},
	{name: "a user who goes takes tokens and sessions along", run: goneUser},
	{name: "what no store takes of an account is refused", run: refusedAccounts},
	{name: "a token is made once and its use kept once a minute", run: tokens},
	{name: "sessions are listed and ended by whose they are", run: sessionsOf},
}

func users(t *testing.T, s *suite) {
	ctx := context.Background()
	_, err := s.User(ctx, "ann")
	wantError(t, err, engine.ErrNotFound)
	_, err = s.ChangeUser(ctx, "ann", func(*data.User) error { return nil })
	wantError(t, err, engine.ErrNotFound)
	wantError(t, s.DeleteUser(ctx, "ann"), engine.ErrNotFound)
	made := must[data.User](t)(s.CreateUser(ctx, data.User{Name: "ann", Role: "editor", Teams: []string{"ops"}, Password: "hash"}))
	wantEqual(t, "created", made.CreatedAt, s.clock.Now())
	_, err = s.CreateUser(ctx, data.User{Name: "ann", Role: "viewer"})
	wantError(t, err, engine.ErrConflict)
	at := s.clock.Advance(time.Minute)
	changed := must[data.User](t)(s.ChangeUser(ctx, "ann", func(user *data.User) error {
		user.Role, user.Disabled, user.Name = "viewer", true, "bob"
		return nil
	}))
	kept := must[data.User](t)(s.User(ctx, "ann"))
	wantEqual(t, "user", asJSON(t, kept), asJSON(t, changed))
	if kept.Role != "viewer" || !kept.Disabled || kept.Password != "hash" || !kept.UpdatedAt.Equal(at) || !kept.CreatedAt.Equal(made.CreatedAt) {
		t.Errorf("kept %+v", kept)
	}
	no := errors.New("no")
	_, err = s.ChangeUser(ctx, "ann", func(*data.User) error { return no })
	wantError(t, err, no)
	must[data.User](t)(s.CreateUser(ctx, data.User{Name: "abe", Role: "viewer"}))
	list := must[[]data.User](t)(s.Users(ctx))
	if len(list) != 2 || list[0].Name != "abe" || list[1].Name != "ann" {
		t.Errorf("listed %+v", list)
	}
}

func lastAdmin(t *testing.T, s *suite) {
	ctx := context.Background()
	must[data.User](t)(s.CreateUser(ctx, data.User{Name: "ann", Role: "admin"}))
	must[data.User](t)(s.CreateUser(ctx, data.User{Name: "bob", Role: "viewer"}))
	wantError(t, s.DeleteUser(ctx, "ann"), data.ErrLastAdmin)
	for _, change := range []func(*data.User) error{
		func(u *data.User) error { u.Role = "editor"; return nil }, func(u *data.User) error { u.Disabled = true; return nil },
	} {
		_, err := s.ChangeUser(ctx, "ann", change)
		wantError(t, err, data.ErrLastAdmin)
	}
	must[data.User](t)(s.ChangeUser(ctx, "bob", func(u *data.User) error { u.Role = "admin"; return nil }))
	need(t, s.DeleteUser(ctx, "ann"))
	wantError(t, s.DeleteUser(ctx, "bob"), data.ErrLastAdmin)
}

func token(id, owner string) data.Token {
	return data.Token{ID: id, Name: "deploy", Owner: owner, Role: "executor", Hash: make([]byte, 32)}
}

func goneUser(t *testing.T, s *suite) {
	ctx := context.Background()
	for _, name := range []string{"ann", "bob"} {
		must[data.User](t)(s.CreateUser(ctx, data.User{Name: name, Role: "viewer"}))
		must[data.Token](t)(s.CreateToken(ctx, token("t-"+name, name)))
		need(t, s.PutSession(ctx, "h-"+name, data.Session{Principal: name, Expires: s.clock.Now().Add(time.Hour)}))
	}
	need(t, s.DeleteUser(ctx, "ann"))
	_, err := s.Token(ctx, "t-ann")
	wantError(t, err, engine.ErrNotFound)
	_, err = s.Session(ctx, "h-ann")
	wantError(t, err, engine.ErrNotFound)
	must[data.Token](t)(s.Token(ctx, "t-bob"))
	must[data.Session](t)(s.Session(ctx, "h-bob"))
}

func refusedAccounts(t *testing.T, s *suite) {
	ctx := context.Background()
	for _, user := range []data.User{
		{Name: "", Role: "viewer"}, {Name: "Ann", Role: "viewer"}, {Name: ".ann", Role: "viewer"}, {Name: "a n", Role: "viewer"},
		{Name: strings.Repeat("a", 65), Role: "viewer"}, {Name: "ann", Role: "root"}, {Name: "ann"}, {Name: "ann", Role: "viewer", Teams: []string{"A"}},
		{Name: "ann", Role: "viewer", Teams: make([]string, 101)},
	} {
		_, err := s.CreateUser(ctx, user)
		wantError(t, err, data.ErrInvalid)
	}
	for _, change := range []func(*data.Token){
		func(t *data.Token) { t.ID = "" }, func(t *data.Token) { t.ID = "a/b" }, func(t *data.Token) { t.Hash = nil },
		func(t *data.Token) { t.Role = "" }, func(t *data.Token) { t.Name = "" }, func(t *data.Token) { t.Owner = "" },
	} {
		bad := token("t1", "ann")
		change(&bad)
		_, err := s.CreateToken(ctx, bad)
		wantError(t, err, data.ErrInvalid)
	}
}

func tokens(t *testing.T, s *suite) {
	ctx := context.Background()
	_, err := s.Token(ctx, "t1")
	wantError(t, err, engine.ErrNotFound)
	wantError(t, s.UseToken(ctx, "t1"), engine.ErrNotFound)
	wantError(t, s.DeleteToken(ctx, "t1"), engine.ErrNotFound)
	must[data.Token](t)(s.CreateToken(ctx, token("t1", "ann")))
	_, err = s.CreateToken(ctx, token("t1", "bob"))
	wantError(t, err, engine.ErrConflict)
	s.clock.Advance(time.Second)
	must[data.Token](t)(s.CreateToken(ctx, token("t0", "bob")))
	wantEqual(t, "never used", must[data.Token](t)(s.Token(ctx, "t1")).LastUsed.IsZero(), true)
	first := s.clock.Advance(time.Minute)
	need(t, s.UseToken(ctx, "t1"))
	s.clock.Advance(59 * time.Second)
	need(t, s.UseToken(ctx, "t1"))
	wantEqual(t, "last used", must[data.Token](t)(s.Token(ctx, "t1")).LastUsed, first)
	s.clock.Advance(time.Second)
	need(t, s.UseToken(ctx, "t1"))
	wantEqual(t, "last used", must[data.Token](t)(s.Token(ctx, "t1")).LastUsed, s.clock.Now())
	list := must[[]data.Token](t)(s.Tokens(ctx, ""))
	if len(list) != 2 || list[0].ID != "t1" || list[1].ID != "t0" {
		t.Errorf("listed %+v", list)
	}
	wantEqual(t, "of bob", len(must[[]data.Token](t)(s.Tokens(ctx, "bob"))), 1)
	need(t, s.DeleteToken(ctx, "t1"))
	_, err = s.Token(ctx, "t1")
	wantError(t, err, engine.ErrNotFound)
}

func sessionsOf(t *testing.T, s *suite) {
	ctx := context.Background()
	for i, name := range []string{"ann", "bob", "ann", "ann"} {
		session := data.Session{Principal: name, CreatedAt: s.clock.Advance(time.Second), Expires: s.clock.Now().Add(time.Duration(i+1) * time.Hour)}
		need(t, s.PutSession(ctx, fmt.Sprintf("h%d", i), session))
	}
	hashes := func(name string) string {
		var list []string
		for _, session := range must[[]data.KeptSession](t)(s.Sessions(ctx, name)) {
			list = append(list, session.Hash)
		}
		return strings.Join(list, " ")
	}
	wantEqual(t, "ann's", hashes("ann"), "h0 h2 h3")
	s.clock.Advance(time.Hour)
	wantEqual(t, "all", hashes(""), "h1 h2 h3")
	need(t, s.EndSessions(ctx, "ann", "h3"))
	wantEqual(t, "all", hashes(""), "h1 h3")
	need(t, s.EndSessions(ctx, "ann", ""))
	wantEqual(t, "all", hashes(""), "h1")
}

var auditCases = []testCase{
	{name: "the audit trail is a chain, and paged both ways", run: auditTrail},
	{name: "the audit trail is filtered", run: auditFilter},
}

func auditTrail(t *testing.T, s *suite) {
	ctx := context.Background()
	const count = 450
	for i := range count {
		need(t, s.AppendAudit(ctx, data.AuditRecord{Who: "ann", Action: "workflow.update", Object: fmt.Sprintf("workflows/w%d", i), Result: data.AuditDone, Detail: strings.Repeat("x", 5000)}))
	}
	var seen []data.AuditRecord
	for next, more := uint64(0), true; more; more = next != 0 {
		page, after, err := s.AuditRecords(ctx, data.AuditFilter{After: next, Limit: 100, OldestFirst: true})
		need(t, err)
		seen, next = append(seen, page...), after
	}
	wantEqual(t, "records", len(seen), count)
	var seq uint64
	var hash string
	for i := range seen {
		need(t, seen[i].Follows(seq, hash))
		seq, hash = seen[i].Seq, seen[i].Hash
	}
	var back []data.AuditRecord
	for next, more := uint64(0), true; more; more = next != 0 {
		page, after, err := s.AuditRecords(ctx, data.AuditFilter{After: next, Limit: 100})
		need(t, err)
		back, next = append(back, page...), after
	}
	slices.Reverse(back)
	wantEqual(t, "backwards", asJSON(t, back), asJSON(t, seen))
	wantEqual(t, "detail", len(seen[0].Detail), 512)
	wantEqual(t, "checked", must[data.Report](t)(s.Check(ctx)).Audit, count)
	changed := seen[7]
	changed.Who = "bob"
	wantError(t, changed.Follows(seen[6].Seq, seen[6].Hash), data.ErrChain)
	wantError(t, seen[8].Follows(seen[6].Seq, seen[6].Hash), data.ErrChain)
}

func auditFilter(t *testing.T, s *suite) {
	ctx := context.Background()
	start := s.clock.Now()
	for i, r := range []data.AuditRecord{
		{Who: "ann", Action: "workflow.update", Object: "workflows/a", Result: data.AuditDone},
		{Who: "bob", Action: "workflow.update", Object: "workflows/b", Result: data.AuditRefused},
		{Who: "ann", Action: "user.create", Object: "users/bob", Result: data.AuditDone},
	} {
		if i > 0 {
			s.clock.Advance(time.Minute)
		}
		need(t, s.AppendAudit(ctx, r))
	}
	for _, c := range []struct {
		filter data.AuditFilter
		want   string
	}{
		{data.AuditFilter{}, "3 2 1"}, {data.AuditFilter{Who: "ann"}, "3 1"}, {data.AuditFilter{Action: "workflow.update"}, "2 1"},
		{data.AuditFilter{Object: "workflows/"}, "2 1"}, {data.AuditFilter{Object: "workflows/a"}, "1"},
		{data.AuditFilter{Since: start.Add(time.Minute)}, "3 2"}, {data.AuditFilter{Until: start.Add(time.Minute)}, "1"},
		{data.AuditFilter{After: 3, Who: "ann"}, "1"}, {data.AuditFilter{OldestFirst: true, After: 1}, "2 3"}, {data.AuditFilter{Who: "eve"}, ""},
		{data.AuditFilter{Result: data.AuditRefused}, "2"}, {data.AuditFilter{Result: data.AuditFailed}, ""},
	} {
		page, next, err := s.AuditRecords(ctx, c.filter)
		need(t, err)
		var got []string
		for _, r := range page {
			got = append(got, fmt.Sprint(r.Seq))
		}
		if strings.Join(got, " ") != c.want || next != 0 {
			t.Errorf("%+v: got %v, next %d, want %s", c.filter, got, next, c.want)
		}
	}
}

var rightsCases = []testCase{
	{name: "a workflow's rights are kept, and outlive it", run: workflowRights},
	{name: "what is hidden is in no list", run: hiddenWorkflows},
}

func workflowRights(t *testing.T, s *suite) {
	ctx := context.Background()
	mine := NewWorkflow("mine", "Mine")
	mine.Rights = data.Rights{Owner: "ann", Visibility: data.VisiblePrivate}
	made := must[data.Workflow](t)(s.CreateWorkflow(ctx, mine))
	if made.Owner != "ann" || made.Visibility != data.VisiblePrivate {
		t.Errorf("made %+v", made)
	}
	open := must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("open", "Open")))
	wantEqual(t, "visibility", open.Visibility, data.VisibleAll)
	wantEqual(t, "unknown", must[data.Rights](t)(s.Rights(ctx, "none")).Visibility, data.VisibleAll)
	wantError(t, s.SetRights(ctx, "none", data.Rights{}), engine.ErrNotFound)
	wantError(t, s.SetRights(ctx, "open", data.Rights{Visibility: "some"}), data.ErrInvalid)
	wantError(t, s.SetRights(ctx, "open", data.Rights{Visibility: data.VisibleTeam}), data.ErrInvalid)
	need(t, s.SetRights(ctx, "open", data.Rights{Owner: "bob", Team: "ops", Visibility: data.VisibleTeam}))
	updated := must[data.Workflow](t)(s.UpdateWorkflow(ctx, "open", 0, NewWorkflow("", "Open")))
	wantEqual(t, "team after an update", updated.Team, "ops")
	wantEqual(t, "team", must[data.Workflow](t)(s.Workflow(ctx, "open")).Team, "ops")
	need(t, s.DeleteWorkflow(ctx, "open"))
	wantEqual(t, "owner of the deleted", must[data.Rights](t)(s.Rights(ctx, "open")).Owner, "bob")
	restricted := must[map[string]data.Rights](t)(s.RestrictedWorkflows(ctx))
	if len(restricted) != 2 || restricted["mine"].Owner != "ann" || restricted["open"].Team != "ops" {
		t.Errorf("restricted: %+v", restricted)
	}
	again := must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("open", "Open")))
	wantEqual(t, "made anew", again.Visibility, data.VisibleAll)
	wantEqual(t, "restricted", len(must[map[string]data.Rights](t)(s.RestrictedWorkflows(ctx))), 1)
}

func hiddenWorkflows(t *testing.T, s *suite) {
	ctx := context.Background()
	for _, id := range []string{"a", "b"} {
		must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow(id, id)))
	}
	for i := range 500 {
		s.create(t, i+1, []string{"a", "b"}[i%2])
	}
	hidden := map[string]bool{"a": true}
	page, total, err := s.Workflows(ctx, data.WorkflowFilter{Hidden: hidden})
	need(t, err)
	if total != 1 || len(page) != 1 || page[0].ID != "b" {
		t.Errorf("workflows %+v of %d", page, total)
	}
	for _, filter := range []data.ExecutionFilter{{}, {Status: data.LiveStatuses()}, {WorkflowID: "b"}} {
		filter.Hidden, filter.Limit = hidden, 60
		seen := 0
		for more := true; more; more = filter.Cursor != "" {
			page, next, err := s.Executions(ctx, filter)
			need(t, err)
			if len(page) == 0 && next != "" || next != "" && len(page) != 60 {
				t.Fatalf("a page of %d, and a further one", len(page))
			}
			for _, e := range page {
				wantEqual(t, "workflow", e.WorkflowID, "b")
			}
			seen, filter.Cursor = seen+len(page), next
		}
		wantEqual(t, "executions", seen, 250)
	}
}
