package host

import (
	"net/http"
	"strings"

	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/pages"
)

// apiBase is the path below which the API stands.
const apiBase = "/api/vwmp"

// body says which kind of body a route takes.
type body int

const (
	noBody body = iota
	jsonBody
	documentBody
)

// route is one row of the table: what may be asked, and by whom.
type route struct {
	method     string
	pattern    string
	permission edge.Permission
	body       body
	// socket routes are upgraded; their Origin is judged though they are
	// GETs.
	socket bool
	// page routes are for browsers: they answer in HTML and are not part of
	// the API's description.
	page bool
	// action is how the audit trail calls what the route changes.
	action string
}

type routeKey struct{ method, pattern string }

// routeTable lists everything that the server answers. Nothing is registered
// without a row, and a test walks what is registered. HEAD follows GET.
func routeTable() []route {
	table := []route{
		{method: http.MethodGet, pattern: apiBase + "/workflows/", permission: edge.Viewer},
		{method: http.MethodPost, pattern: apiBase + "/workflows/", permission: edge.Editor, body: documentBody, action: "workflow.create"},
		{method: http.MethodPost, pattern: apiBase + "/workflows/validate/", permission: edge.Viewer, body: documentBody},
		{method: http.MethodPost, pattern: apiBase + "/workflows/import/", permission: edge.Editor, body: documentBody, action: "workflow.import"},
		{method: http.MethodGet, pattern: apiBase + "/workflows/{id}/", permission: edge.Viewer},
		{method: http.MethodPut, pattern: apiBase + "/workflows/{id}/", permission: edge.Editor, body: documentBody, action: "workflow.update"},
		{method: http.MethodDelete, pattern: apiBase + "/workflows/{id}/", permission: edge.Editor, action: "workflow.delete"},
		{method: http.MethodPut, pattern: apiBase + "/workflows/{id}/access/", permission: edge.Editor, body: jsonBody, action: "workflow.share"},
		{method: http.MethodPost, pattern: apiBase + "/workflows/{id}/execute/", permission: edge.Executor, body: jsonBody, action: "workflow.execute"},
		{method: http.MethodPost, pattern: apiBase + "/workflows/{id}/plan/", permission: edge.Executor, body: jsonBody},
		{method: http.MethodPost, pattern: apiBase + "/workflows/{id}/steps/{step}/run/", permission: edge.Executor, body: jsonBody, action: "workflow.run-step"},
		{method: http.MethodGet, pattern: apiBase + "/workflows/{id}/export/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/workflows/{id}/versions/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/workflows/{id}/versions/{revision}/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/workflows/{id}/versions/{a}/diff/{b}/", permission: edge.Viewer},
		{method: http.MethodPost, pattern: apiBase + "/workflows/{id}/versions/{revision}/restore/", permission: edge.Editor, action: "workflow.restore"},

		{method: http.MethodGet, pattern: apiBase + "/executions/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/executions/{id}/", permission: edge.Viewer},
		{method: http.MethodDelete, pattern: apiBase + "/executions/{id}/", permission: edge.Admin, action: "execution.delete"},
		{method: http.MethodPost, pattern: apiBase + "/executions/{id}/cancel/", permission: edge.Executor, action: "execution.cancel"},
		{method: http.MethodPost, pattern: apiBase + "/executions/{id}/pause/", permission: edge.Executor, action: "execution.pause"},
		{method: http.MethodPost, pattern: apiBase + "/executions/{id}/resume/", permission: edge.Executor, action: "execution.resume"},
		{method: http.MethodPost, pattern: apiBase + "/executions/{id}/retry/", permission: edge.Executor, body: jsonBody, action: "execution.retry"},
		{method: http.MethodPost, pattern: apiBase + "/executions/{id}/fork/", permission: edge.Executor, body: jsonBody, action: "execution.fork"},
		{method: http.MethodPost, pattern: apiBase + "/executions/{id}/undo/", permission: edge.Executor, action: "execution.undo"},
		{method: http.MethodPost, pattern: apiBase + "/executions/{id}/signals/{name}/", permission: edge.Executor, body: jsonBody, action: "execution.signal"},
		{method: http.MethodPost, pattern: apiBase + "/executions/{id}/steps/{step}/resolve/", permission: edge.Executor, body: jsonBody, action: "execution.resolve"},
		{method: http.MethodPost, pattern: apiBase + "/executions/{id}/steps/{step}/approve/", permission: edge.Executor, body: jsonBody, action: "execution.approve"},
		{method: http.MethodGet, pattern: apiBase + "/executions/{id}/workflow/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/executions/{id}/steps/{step}/input/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/executions/{id}/explain/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/executions/{id}/compare/{other}/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/executions/{id}/steps/{step}/output/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/executions/{id}/artifacts/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/executions/{id}/artifacts/{sha256}/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/executions/{id}/logs/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/executions/{id}/events/", permission: edge.Viewer},

		{method: http.MethodGet, pattern: apiBase + "/step-handlers/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/step-handlers/{path}/schema/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/workflow-types/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/workflow-types/{name}/templates/{template}/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/plugins/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/plugins/{name}/usage/", permission: edge.Viewer},
		{method: http.MethodPost, pattern: apiBase + "/plugins/{name}/enable/", permission: edge.Admin, action: "plugin.enable"},
		{method: http.MethodPost, pattern: apiBase + "/plugins/{name}/disable/", permission: edge.Admin, action: "plugin.disable"},
		{method: http.MethodPost, pattern: apiBase + "/plugins/{name}/reload/", permission: edge.Admin, body: jsonBody, action: "plugin.reload"},
		{method: http.MethodGet, pattern: apiBase + "/workspaces/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/stats/", permission: edge.Viewer},
		{method: http.MethodGet, pattern: apiBase + "/about/", permission: edge.Viewer},

		{method: http.MethodGet, pattern: apiBase + "/secrets/", permission: edge.Admin},
		{method: http.MethodGet, pattern: apiBase + "/secrets/{name}/usage/", permission: edge.Admin},
		{method: http.MethodPut, pattern: apiBase + "/secrets/{name}/", permission: edge.Admin, body: jsonBody, action: "secret.set"},
		{method: http.MethodDelete, pattern: apiBase + "/secrets/{name}/", permission: edge.Admin, action: "secret.delete"},

		{method: http.MethodGet, pattern: apiBase + "/triggers/", permission: edge.Viewer},
		{method: http.MethodPost, pattern: apiBase + "/triggers/{id}/pause/", permission: edge.Editor, action: "trigger.pause"},
		{method: http.MethodPost, pattern: apiBase + "/triggers/{id}/resume/", permission: edge.Editor, action: "trigger.resume"},
		{method: http.MethodPost, pattern: apiBase + "/triggers/{id}/fire/", permission: edge.Executor, body: jsonBody, action: "trigger.fire"},
		{method: http.MethodPost, pattern: apiBase + "/hooks/{token}/", permission: edge.Public, action: "trigger.hook"},

		{method: http.MethodPost, pattern: apiBase + "/auth/login/", permission: edge.Public, body: jsonBody, action: actionSignIn},
		{method: http.MethodPost, pattern: apiBase + "/auth/logout/", permission: edge.Viewer, action: "auth.sign-out"},
		{method: http.MethodGet, pattern: apiBase + "/auth/me/", permission: edge.Viewer},
		{method: http.MethodPost, pattern: apiBase + "/auth/tickets/", permission: edge.Viewer},
		{method: http.MethodPost, pattern: apiBase + "/auth/sign-in-links/", permission: edge.Admin, action: "auth.make-link"},

		{method: http.MethodPost, pattern: apiBase + "/auth/password/", permission: edge.Viewer, body: jsonBody, action: "auth.change-password"},
		{method: http.MethodGet, pattern: oidcStart, permission: edge.Public, page: true},
		{method: http.MethodGet, pattern: oidcCallback, permission: edge.Public, page: true},
		{method: http.MethodGet, pattern: apiBase + "/auth/tokens/", permission: edge.Viewer},
		{method: http.MethodPost, pattern: apiBase + "/auth/tokens/", permission: edge.Viewer, body: jsonBody, action: "token.create"},
		{method: http.MethodDelete, pattern: apiBase + "/auth/tokens/{id}/", permission: edge.Viewer, action: "token.revoke"},
		{method: http.MethodGet, pattern: apiBase + "/auth/sessions/", permission: edge.Viewer},
		{method: http.MethodDelete, pattern: apiBase + "/auth/sessions/{id}/", permission: edge.Viewer, action: "session.end"},

		{method: http.MethodGet, pattern: apiBase + "/users/", permission: edge.Admin},
		{method: http.MethodPost, pattern: apiBase + "/users/", permission: edge.Admin, body: jsonBody, action: "user.create"},
		{method: http.MethodGet, pattern: apiBase + "/users/{name}/", permission: edge.Admin},
		{method: http.MethodPut, pattern: apiBase + "/users/{name}/", permission: edge.Admin, body: jsonBody, action: "user.update"},
		{method: http.MethodDelete, pattern: apiBase + "/users/{name}/", permission: edge.Admin, action: "user.delete"},
		{method: http.MethodGet, pattern: apiBase + "/audit/", permission: edge.Admin},

		{method: http.MethodGet, pattern: apiBase + "/admin/check/", permission: edge.Admin},
		{method: http.MethodPost, pattern: apiBase + "/admin/backup/", permission: edge.Admin, body: jsonBody, action: "data.back-up"},

		{method: http.MethodGet, pattern: "/ws/vwmp/workflows/{id}/execute", permission: edge.Executor, socket: true},
		{method: http.MethodGet, pattern: "/ws/vwmp/executions/{id}", permission: edge.Viewer, socket: true},
		{method: http.MethodGet, pattern: "/ws/vwmp/events", permission: edge.Viewer, socket: true},

		{method: http.MethodGet, pattern: "/healthz", permission: edge.Public},
		{method: http.MethodGet, pattern: "/readyz", permission: edge.Public},
		{method: http.MethodGet, pattern: "/metrics", permission: edge.Viewer},
		{method: http.MethodGet, pattern: profilePath, permission: edge.Admin, page: true},
		{method: http.MethodGet, pattern: profilePath + "{name}", permission: edge.Admin, page: true},
		{method: http.MethodGet, pattern: "/openapi.json", permission: edge.Viewer},
		{method: http.MethodGet, pattern: "/docs", permission: edge.Viewer, page: true},
		{method: http.MethodGet, pattern: "/", permission: edge.Public, page: true},
		{method: http.MethodGet, pattern: pages.WebAssetBase + "{name}", permission: edge.Public, page: true},
		{method: http.MethodGet, pattern: "/vwmp/sign-in", permission: edge.Public, page: true},
		{method: http.MethodGet, pattern: "/assets/{name}", permission: edge.Public, page: true},
	}
	for _, pattern := range appPages {
		table = append(table, route{method: http.MethodGet, pattern: pattern, permission: edge.Public, page: true})
	}
	return table
}

var fiberNames = strings.NewReplacer("{", ":", "}", "")

// fiberPattern writes a pattern as Fiber reads it.
func fiberPattern(pattern string) string { return fiberNames.Replace(pattern) }

// safe reports whether a method changes nothing.
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
